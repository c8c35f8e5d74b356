import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { messageOf, UsageError } from "../../core/errors.ts";
import { lines } from "../../parse/lines.ts";
import type { Host } from "../context.ts";

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
export async function* idsFrom(
  name: string,
  host: Host,
  unreadable: (message: string) => void,
): AsyncGenerator<string> {
  const source: Source = { label: name === "-" ? "standard input" : name, unreadable };
  const stream = name === "-" ? host.stdin : createReadStream(resolve(host.cwd, name));
  const texts = lines(utf8(stream as AsyncIterable<Uint8Array>, source.label));
  let idIn: ((text: string) => string) | undefined;
  let number = 0;
  try {
    for await (const text of texts) {
      number += 1;
      if (isSilent(text)) continue;
      const isFirst = idIn === undefined;
      if (isFirst && !text.trimStart().startsWith("{") && isHeader(text)) return yield* fromCsv(source, text, texts);
      idIn ??= text.trimStart().startsWith("{") ? fromJson : asItIs;
      const id = checked(source, () => `line ${number}`, isFirst, idIn, text);
      if (id !== undefined) yield id;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ids from ${source.label}: ${messageOf(error)}`);
  }
}

const asItIs = (text: string): string => text;

export const isSilent = (text: string): boolean => text.trim() === "" || text.startsWith("#");

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

const checked = (
  { label, unreadable }: Source,
  where: () => string,
  isFirst: boolean,
  idIn: (text: string) => string,
  text: string,
): string | undefined => {
  try {
    return checkedId(idIn(text));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const told = `${label}, ${where()}: ${error.message}`;
    if (isFirst) throw new UsageError(told);
    unreadable(told);
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
export const isHeader = (line: string): boolean =>
  idName(line.split(/[,;\t]/).map((cell) => cell.replace(/"/g, ""))) !== undefined;

async function* fromCsv(source: Source, header: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  const { default: Papa } = await import("papaparse");
  async function* text(): AsyncGenerator<string> {
    yield `${header}\n`;
    for await (const line of rest) if (!isSilent(line)) yield `${line}\n`;
  }
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, {
    header: true,
    skipEmptyLines: "greedy",
    // Guessed from the header alone: cells of other columns hold anything.
    delimiter: [",", ";", "\t"].find((mark) => header.includes(mark)) ?? ",",
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
    const id = checked(source, () => `record ${row}`, row === 1, asItIs, cell);
    if (id !== undefined) yield id;
  }
}
