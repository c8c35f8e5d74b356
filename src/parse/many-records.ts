import { InvalidDocument } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import { isObject, type JsonObject, type Transcript, type Turn } from "../core/transcript.ts";
import { iso } from "./values.ts";

// What the parsers of conversations of many records share.

/** The data of a conversation's records, in their order. @throws InvalidDocument with this code */
export const recordsOf = ({ further }: StoredConversation, code: string): JsonObject[] => {
  const records: unknown = further === undefined ? [] : JSON.parse(Buffer.from(further).toString());
  if (!Array.isArray(records) || !records.every(isObject))
    throw new InvalidDocument("its records are of another kind", code);
  return records;
};

/** The times of a turn. @param at in milliseconds since 1970 @param start of the conversation, likewise */
export const clockOf = (at: number, start: number | undefined): Pick<Turn, "begin" | "at"> => {
  const time = iso(at);
  return {
    ...(start !== undefined && { begin: (at - start) / 1000 }),
    ...(time !== undefined && { at: time }),
  };
};

/** The times of a conversation. @param end of its last turn, in milliseconds since 1970 */
export const spanOf = (
  { startedAt }: StoredConversation,
  end: number | undefined,
): Pick<Transcript, "startedAt" | "endedAt" | "durationSeconds"> => {
  const start = startedAt === undefined ? undefined : Date.parse(startedAt);
  const endedAt = end === undefined ? undefined : iso(end);
  return {
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(end !== undefined && start !== undefined && { durationSeconds: (end - start) / 1000 }),
  };
};

export const provenanceOf = ({ records = [] }: Pick<StoredConversation, "records">): Transcript["provenance"] => ({
  records: records.map(({ source, id, sha256, bytes }) => ({ source, id, sha256, bytes })),
});

/** An object in an object; empty when there is none. */
export const objectAt = (value: JsonObject, key: string): JsonObject => {
  const found = value[key];
  return isObject(found) ? found : {};
};
