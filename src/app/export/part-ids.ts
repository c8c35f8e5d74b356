import { createReadStream } from "node:fs";
import { qualifiedId } from "../../core/conversation-id.ts";
import { UsageError } from "../../core/errors.ts";
import type { SourceName } from "../../core/transcript.ts";
import { lines } from "../../parse/lines.ts";
import { idOf, RECORDS } from "../../writers/file-name.ts";
import type { IdStyle } from "../../writers/index.ts";

/** Ids are handed on in batches of this size. */
const BATCH = 1000;

/**
The ids of the calls that a file of an export holds, in batches; each once where its rows stand together.

@throws UsageError for a line that names no call
*/
export async function* idsIn(path: string, style: IdStyle): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let last: string | undefined;
  for await (const id of READERS[style](path)) {
    if (id === last) continue;
    last = id;
    batch.push(id);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const linesOf = (path: string): AsyncGenerator<string> => lines(createReadStream(path) as AsyncIterable<Uint8Array>);

/** A line is a transcript, or with `--rows turn` a turn that names its call. */
async function* fromJsonLines(path: string): AsyncGenerator<string> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number += 1;
    const { callId, id, source = "calls" } = parsed(line);
    const name = callId ?? id;
    if (typeof name !== "string") throw new UsageError(`${path}: line ${number} names no call.`);
    yield qualifiedId({ source: source as SourceName, id: name });
  }
}

const parsed = (line: string): { callId?: unknown; id?: unknown; source?: unknown } => {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
};

/** The guard against formulas puts an apostrophe in front of what a spreadsheet would run. */
const GUARDED = /^'(?=[=+\-@＝＋－＠])/;

async function* fromCsv(path: string): AsyncGenerator<string> {
  const { default: Papa } = await import("papaparse");
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, { delimiter: ",", skipEmptyLines: true });
  const feed = createReadStream(path, "utf8");
  // pipe() leaves errors where they are.
  feed.on("error", (error) => parser.destroy(error));
  feed.pipe(parser);
  let column: number | undefined;
  for await (const cells of parser as AsyncIterable<string[]>) {
    if (column === undefined) {
      column = cells.findIndex((cell) => cell.replace(/^\uFEFF/, "") === "call_id");
      if (column === -1) throw new UsageError(`${path} has no column call_id.`);
      continue;
    }
    const id = cells[column];
    if (!id) throw new UsageError(`${path}: a row names no call.`);
    yield id.replace(GUARDED, "");
  }
}

/** The list of a folder's documents, in the form of `sha256sum`. */
async function* fromSums(path: string): AsyncGenerator<string> {
  for await (const line of linesOf(path)) {
    const [, name] = /^[0-9a-f]{64} {2}([^/]+)\.json(?:\.gz)?$/.exec(line) ?? [];
    if (name === undefined) throw new UsageError(`${path} names a file that is no call's: ${line.slice(66, 146)}.`);
    if (name.endsWith(RECORDS)) continue;
    // The name of a very long id is cut: that call counts as unknown.
    yield idOf(name) ?? name;
  }
}

const READERS: Record<IdStyle, (path: string) => AsyncGenerator<string>> = {
  "json-lines": fromJsonLines,
  "csv-column": fromCsv,
  checksums: fromSums,
};
