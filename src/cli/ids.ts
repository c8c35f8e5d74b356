import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { messageOf, UsageError } from "../core/errors.ts";
import { lines } from "../parse/lines.ts";
import type { Io } from "./io.ts";

/** Names of a column or key that holds an instance id, best first; case, `_`, `-` and blanks do not matter. */
const ID_NAMES = ["instanceid", "aiagentinstanceid", "callid", "id"];

const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, "");

const idName = (names: readonly string[]): string | undefined => {
  for (const wanted of ID_NAMES) {
    const name = names.find((each) => plain(each) === wanted);
    if (name !== undefined) return name;
  }
  return undefined;
};

/** @throws UsageError for text that no id can be */
export const checkedId = (text: string, place = ""): string => {
  const id = text.trim();
  if (/^[\x21-\x7e]{1,256}$/.test(id) && !/[,;"]|:\/\//.test(id)) return id;
  const printable = id.replace(/[^\x20-\x7e\p{L}\p{N}\p{P}]/gu, "?");
  const hint = /[,;"\t]/.test(id) ? " A table needs a column named instance_id, call_id or id." : "";
  throw new UsageError(
    `${place}not an instance id: "${printable.length > 60 ? `${printable.slice(0, 60)}…` : printable}".${hint}`,
  );
};

/** What is being read, for messages. */
interface Source {
  label: string;
  unreadable: (message: string) => void;
}

/**
Instance ids from a file, or from standard input for `-`: one per line, NDJSON, or CSV with an id column.

The first line that says something decides which; if it holds no id, that is a mistake in the command. A later line that
holds none is told to `unreadable`, and passed over. Blank lines and lines that begin with `#` say nothing.

@throws UsageError that names the file and line
*/
export async function* idsFrom(name: string, io: Io, unreadable: (message: string) => void): AsyncGenerator<string> {
  const source: Source = { label: name === "-" ? "standard input" : name, unreadable };
  const stream = name === "-" ? io.stdin : createReadStream(resolve(io.cwd, name));
  const read = numbered(lines(utf8(stream as AsyncIterable<Uint8Array>, source.label)));
  try {
    const { value: first, done } = await read.next();
    if (done) return;
    const rest = prepend(first, read);
    if (first.text.trimStart().startsWith("{")) yield* each(source, rest, fromJson);
    else if (isHeader(first.text)) yield* fromCsv(source, first, read);
    else yield* each(source, rest, (text) => text);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ids from ${source.label}: ${messageOf(error)}`);
  }
}

interface Line {
  number: number;
  text: string;
}

async function* numbered(texts: AsyncIterable<string>): AsyncGenerator<Line> {
  let number = 0;
  for await (const text of texts) {
    number += 1;
    if (text.trim() !== "" && !text.startsWith("#")) yield { number, text };
  }
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** Spreadsheets and PowerShell like to write UTF-16: it would read as gibberish. */
async function* utf8(chunks: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)))
      throw new UsageError(`${label} is UTF-16; save it as UTF-8.`);
    first = false;
    yield chunk;
  }
}

async function* each(
  source: Source,
  rows: AsyncIterable<Line>,
  read: (text: string) => string,
): AsyncGenerator<string> {
  let isFirst = true;
  for await (const { number, text } of rows) {
    const id = checked(source, `${source.label}, line ${number}: `, isFirst, (place) => checkedId(read(text), place));
    if (id !== undefined) yield id;
    isFirst = false;
  }
}

const checked = (
  { unreadable }: Source,
  place: string,
  isFirst: boolean,
  read: (place: string) => string,
): string | undefined => {
  try {
    return read(place);
  } catch (error) {
    if (isFirst || !(error instanceof UsageError)) throw error;
    unreadable(error.message);
    return undefined;
  }
};

const fromJson = (line: string): string => {
  const value = parsed(line);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`not a JSON object: ${line.slice(0, 40)}`);
  const name = idName(Object.keys(value));
  const id = name === undefined ? undefined : (value as Record<string, unknown>)[name];
  if (typeof id !== "string") throw new UsageError(`no text under any of ${ID_NAMES.join(", ")}: ${line.slice(0, 40)}`);
  return id;
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** A line of column names, one of which is an id's. */
const isHeader = (line: string): boolean =>
  idName(line.split(/[,;\t]/).map((cell) => cell.replace(/"/g, ""))) !== undefined;

async function* fromCsv(source: Source, header: Line, rest: AsyncIterable<Line>): AsyncGenerator<string> {
  const { default: Papa } = await import("papaparse");
  async function* text(): AsyncGenerator<string> {
    yield `${header.text}\n`;
    for await (const line of rest) yield `${line.text}\n`;
  }
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, {
    header: true,
    skipEmptyLines: "greedy",
    // Guessed from the header alone: cells of other columns hold anything.
    delimiter: [",", ";", "\t"].find((mark) => header.text.includes(mark)) ?? ",",
  });
  const feed = Readable.from(text());
  // pipe() leaves errors where they are.
  feed.on("error", (error) => parser.destroy(error));
  feed.pipe(parser);
  let row = 0;
  for await (const record of parser as AsyncIterable<Record<string, string>>) {
    row += 1;
    const cell = record[idName(Object.keys(record)) ?? ""] ?? "";
    if (cell.trim() === "") continue;
    const id = checked(source, `${source.label}, record ${row}: `, row === 1, (place) => checkedId(cell, place));
    if (id !== undefined) yield id;
  }
}
