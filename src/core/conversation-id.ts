import { UsageError } from "./errors.ts";
import { SOURCES } from "./sources.ts";
import type { SourceName } from "./transcript.ts";

/** A conversation is identified by its source and its id in that source. */
export interface ConversationId {
  source: SourceName;
  id: string;
}

/** The beginning of a qualified id: a source's name and a colon. */
const QUALIFIED = /^([a-z]+):(.+)$/s;

/**
How a conversation's id is written: `chats:8a61…`, and for calls the bare id.

A call whose own id looks like a qualified id is written `calls:ID`, so that two conversations never have one name.
*/
export const qualifiedId = ({ source, id }: ConversationId): string =>
  source === "calls" && !QUALIFIED.test(id) ? id : `${source}:${id}`;

/** The archive's key of a conversation. Only calls fold case: their service is not consistent in it. */
export const keyOf = ({ source, id }: ConversationId): string =>
  qualifiedId({ source, id: source === "calls" ? id.toLowerCase() : id });

/** The source that a qualified id names; undefined for a bare id. */
export const qualifiedSource = (text: string): SourceName | undefined => {
  const [, name] = QUALIFIED.exec(text) ?? [];
  return SOURCES.find((each) => each === name);
};

/**
The conversations that an id as a person writes it can mean.

@param sources of the archive; a qualified id means one of them, a bare id may mean a conversation of each
@param wanted only these sources are meant. @default all of the archive
@throws UsageError for a qualified id of a source that is not wanted
*/
export const meaningsOf = (
  text: string,
  sources: readonly SourceName[],
  wanted?: readonly SourceName[],
): ConversationId[] => {
  const [, name, id] = QUALIFIED.exec(text) ?? [];
  const source = sources.find((each) => each === name);
  const named = source ?? qualifiedSource(text);
  if (named !== undefined && wanted?.includes(named) === false)
    throw new UsageError(
      `${text} is a conversation of ${named}, but only ${wanted.join(", ")} is selected (--source).`,
    );
  if (source !== undefined && id !== undefined) return [{ source, id }];
  const possible = wanted ? sources.filter((each) => wanted.includes(each)) : sources;
  return possible.map((each) => ({ source: each, id: text }));
};

/** The keys of the conversations that an id can mean, as `meaningsOf` finds them. */
export const keysOf = (...written: Parameters<typeof meaningsOf>): string[] => meaningsOf(...written).map(keyOf);
