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

/** @throws UsageError for text that no id can be. */
export const checkedId = (text: string, place = ""): string => {
  const id = text.trim();
  if (/^[\x21-\x7e]{1,256}$/.test(id) && !id.includes("://")) return id;
  const what = id.length > 60 ? `${id.slice(0, 60)}…` : id;
  throw new UsageError(`${place}not an instance id: "${what}".`);
};

/**
Instance ids from a file, or from standard input for `-`: one per line, NDJSON, or CSV with an id column.

The first line that says something decides which. Blank lines and lines that begin with `#` are passed over.

@throws UsageError that names the file and line.
*/
export async function* idsFrom(name: string, io: Io): AsyncGenerator<string> {
  const label = name === "-" ? "standard input" : name;
  const stream = name === "-" ? io.stdin : createReadStream(resolve(io.cwd, name));
  const source = lines(stream as AsyncIterable<Uint8Array>);
  let number = 0;
  try {
    for (;;) {
      const { value: line, done } = await source.next();
      if (done) return;
      number += 1;
      if (line.trim() === "" || line.startsWith("#")) continue;
      if (line.trimStart().startsWith("{")) yield* fromNdjson(line, number, source, label);
      else if (isHeader(line)) yield* fromCsv(line, number, source, label);
      else yield* fromLines(line, number, source, label);
      return;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ids from ${label}: ${messageOf(error)}`);
  }
}

async function* fromLines(
  first: string,
  start: number,
  rest: AsyncIterable<string>,
  label: string,
): AsyncGenerator<string> {
  let number = start;
  yield checkedId(first, `${label}, line ${number}: `);
  for await (const line of rest) {
    number += 1;
    if (line.trim() !== "" && !line.startsWith("#")) yield checkedId(line, `${label}, line ${number}: `);
  }
}

async function* fromNdjson(
  first: string,
  start: number,
  rest: AsyncIterable<string>,
  label: string,
): AsyncGenerator<string> {
  let number = start;
  const read = (line: string): string => {
    const place = `${label}, line ${number}: `;
    const value = parsed(line);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new UsageError(`${place}not a JSON object.`);
    const name = idName(Object.keys(value));
    const id = name === undefined ? undefined : (value as Record<string, unknown>)[name];
    if (typeof id !== "string") throw new UsageError(`${place}no text under any of ${ID_NAMES.join(", ")}.`);
    return checkedId(id, place);
  };
  yield read(first);
  for await (const line of rest) {
    number += 1;
    if (line.trim() !== "") yield read(line);
  }
}

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

async function* fromCsv(
  header: string,
  start: number,
  rest: AsyncIterable<string>,
  label: string,
): AsyncGenerator<string> {
  const { default: Papa } = await import("papaparse");
  async function* text(): AsyncGenerator<string> {
    yield `${header}\n`;
    for await (const line of rest) yield `${line}\n`;
  }
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, {
    header: true,
    skipEmptyLines: "greedy",
    // Guessed from the header alone: cells of other columns hold anything.
    delimiter: [",", ";", "\t"].find((each) => header.includes(each)) ?? ",",
  });
  let row = start;
  const records = Readable.from(text()).pipe(parser) as AsyncIterable<Record<string, string>>;
  for await (const record of records) {
    row += 1;
    const id = record[idName(Object.keys(record)) ?? ""] ?? "";
    if (id.trim() !== "") yield checkedId(id, `${label}, record ${row}: `);
  }
}
