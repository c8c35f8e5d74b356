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

/**
The keys that an id as a person writes it can mean.

@param sources of the archive; a qualified id means one of them, a bare id may mean a conversation of each
*/
export const keysOf = (text: string, sources: readonly SourceName[]): string[] => {
  const [, name, id] = QUALIFIED.exec(text) ?? [];
  const source = sources.find((each) => each === name);
  if (source !== undefined && id !== undefined) return [keyOf({ source, id })];
  return sources.map((each) => keyOf({ source: each, id: text }));
};
