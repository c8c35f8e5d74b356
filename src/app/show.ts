import type { Reader } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { Document, StoredConversation } from "../core/records.ts";
import type { Transcript } from "../core/transcript.ts";
import { transcriptOf as parse } from "../parse/index.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import type { ArchiveRequest, SourcesRequest } from "./requests.ts";

/** The fewest characters that an id may be shortened to. */
const SHORTEST = 4;
/** How many ids are listed if several match. */
const MOST_IDS = 5;

/**
One conversation of the archive, by its id or the beginning of its id.

@throws UsageError if no id or several ids match
*/
export const findCall = async (
  request: ArchiveRequest & SourcesRequest,
  id: string,
  context: ArchiveContext,
): Promise<StoredConversation> => {
  const archive = await archiveOf(request, context, false);
  try {
    const { sources } = request;
    const record =
      (await archive.find(id, sources)) ?? (await archive.find(await wholeId(archive, id, sources), sources));
    if (record) return record;
    throw new UsageError(`The archive does not have ${id}; "callarchive list" lists its conversations.`);
  } finally {
    await archive.close();
  }
};

/** The only id with this beginning; the text itself if there is none. */
const wholeId = async (archive: Reader, beginning: string, sources: SourcesRequest["sources"]): Promise<string> => {
  if (beginning.length < SHORTEST) return beginning;
  const ids = await archive.beginningWith(beginning, MOST_IDS + 1, sources);
  if (ids.length > 1)
    throw new UsageError(
      `Several ids begin with ${beginning}: ${ids.slice(0, MOST_IDS).join(", ")}${ids.length > MOST_IDS ? ", …" : ""}. Write more characters of the id.`,
    );
  return ids[0] ?? beginning;
};

/** The document of a call. @throws UsageError when there is none */
export const documentOf = ({ id, state, document, error }: StoredConversation): Document => {
  if (document) return document;
  throw new UsageError(`${id} is ${state}: there is no document. ${error?.message ?? ""}`.trim());
};

/** The transcript of a call. @throws UsageError when it is invalid or has no document */
export const transcriptOf = (record: StoredConversation): Transcript => {
  documentOf(record);
  const { id, state, error } = record;
  if (state === "invalid")
    throw new UsageError(`${id} is invalid: ${error?.message}. "callarchive show ${id} --raw" prints its bytes.`);
  return parse(record);
};
