import { createReadStream } from "node:fs";
import { join } from "node:path";
import { keysOf } from "../../../core/conversation-id.ts";
import { UsageError } from "../../../core/errors.ts";
import { SOURCES } from "../../../core/sources.ts";
import { isObject, type JsonObject, type SourceName } from "../../../core/transcript.ts";
import { lines } from "../../../parse/lines.ts";
import { DROPPED, PROVENANCE } from "../set-folder.ts";

/** The lines of a sidecar as objects, one after the other. @throws UsageError for a line that is none */
export async function* linesIn(root: string, name: string): AsyncGenerator<JsonObject> {
  for await (const line of lines(createReadStream(join(root, name)) as AsyncIterable<Uint8Array>)) {
    if (line === "") continue;
    const value: unknown = JSON.parse(line);
    if (!isObject(value) || typeof value.conversation !== "string")
      throw new UsageError(`An older version made this data set: ${name} does not name conversations. Make it again.`);
    yield value;
  }
}

/** A row of a data set, as its provenance names it. */
export interface SetRow {
  /** The qualified id. */
  conversation: string;
  file: string;
  /** From 1. */
  row: number;
}

/** What a data set has of some conversations. */
export interface FoundInSet {
  /** The qualified ids that `dropped.ndjson` or the provenance names, by the ids as they were written. */
  conversations: Map<string, Set<string>>;
  rows: SetRow[];
}

/** Tells which conversation of a data set one of these ids means. */
const matcherOf = (ids: readonly string[], sources: readonly SourceName[] | undefined) => {
  const written = new Map<string, string[]>();
  for (const id of new Set(ids))
    for (const key of keysOf(id, SOURCES, sources)) written.set(key, [...(written.get(key) ?? []), id]);
  return (conversation: string): readonly string[] =>
    // A bare id in a data set is that of a call, the first source.
    written.get(keysOf(conversation, SOURCES)[0] ?? "") ?? [];
};

/** Looks for conversations in a data set. @throws UsageError for an id that means several of them */
export const findInSet = async (
  root: string,
  ids: readonly string[],
  sources?: readonly SourceName[],
): Promise<FoundInSet> => {
  const meant = matcherOf(ids, sources);
  const found: FoundInSet = { conversations: new Map(), rows: [] };
  for (const name of [PROVENANCE, DROPPED])
    for await (const { conversation, file, row } of linesIn(root, name)) {
      const names = meant(String(conversation));
      for (const id of names)
        found.conversations.set(id, (found.conversations.get(id) ?? new Set()).add(String(conversation)));
      if (name !== PROVENANCE || names.length === 0) continue;
      if (typeof file !== "string" || typeof row !== "number")
        throw new UsageError("An older version made this data set: its provenance names no rows. Make it again.");
      found.rows.push({ conversation: String(conversation), file, row });
    }
  for (const [id, conversations] of found.conversations)
    if (conversations.size > 1)
      throw new UsageError(`${id} means several conversations. Write one of: ${[...conversations].sort().join(", ")}.`);
  return found;
};
