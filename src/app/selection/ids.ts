import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { qualifiedSource } from "../../core/conversation-id.ts";
import { messageOf, UsageError } from "../../core/errors.ts";
import { SOURCES } from "../../core/sources.ts";
import { lines } from "../../parse/lines.ts";
import type { Host } from "../context.ts";

/** Names of a column or key with instance ids, best first; case, `_`, `-` and blanks are ignored. */
const ID_NAMES = ["instanceid", "aiagentinstanceid", "callid", "id"];

const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, "");

const idName = (names: readonly string[]): string | undefined => {
  for (const known of ID_NAMES) {
    const name = names.find((each) => plain(each) === known);
    if (name !== undefined) return name;
  }
  return undefined;
};

/** @throws UsageError for text that cannot be an id */
export const checkedId = (text: string): string => {
  const id = text.trim();
  if (/^[\x21-\x7e]{1,256}$/.test(id) && !/[,;"]|:\/\//.test(id)) return id;
  const printable = id.replace(/[^\x20-\x7e\p{L}\p{N}\p{P}]/gu, "?");
  const hint = /[,;"\t]/.test(id) ? " A table needs a column named instance_id, call_id or id." : "";
  throw new UsageError(
    `not an instance id: "${printable.length > 60 ? `${printable.slice(0, 60)}…` : printable}".${hint}`,
  );
};

/** The source of ids, and who receives messages about invalid lines. */
interface Source {
  label: string;
  onUnreadable: (message: string) => void;
  idOf: (text: string) => string;
}

/**
Instance ids from a file, or from standard input for `-`: one per line, NDJSON, or CSV with an id column.

The first line decides which. If it has no id, the command is wrong and this throws. A later line without an id is reported
to `onUnreadable` and skipped. Blank lines and lines that begin with `#` are ignored.

@param idOf makes an id of a text, or throws a UsageError
@throws UsageError that names the file and line
*/
export async function* idsFrom(
  name: string,
  host: Host,
  onUnreadable: (message: string) => void,
  idOf: (text: string) => string = checkedId,
): AsyncGenerator<string> {
  const source: Source = { label: name === "-" ? "standard input" : name, onUnreadable, idOf };
  const stream = name === "-" ? host.stdin : createReadStream(resolve(host.cwd, name));
  const texts = lines(utf8(stream as AsyncIterable<Uint8Array>, source.label));
  let idIn: ((text: string) => string) | undefined;
  let number = 0;
  try {
    for await (const text of texts) {
      number += 1;
      if (isIgnored(text)) continue;
      const isFirst = idIn === undefined;
      if (isFirst && !text.trimStart().startsWith("{") && isHeader(text)) return yield* fromCsv(source, text, texts);
      idIn ??= text.trimStart().startsWith("{") ? fromJson : unchanged;
      const id = checked(source, () => `line ${number}`, isFirst, idIn, text);
      if (id !== undefined) yield id;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ids from ${source.label}: ${messageOf(error)}`);
  }
}

const unchanged = (text: string): string => text;

export const isIgnored = (text: string): boolean => text.trim() === "" || text.startsWith("#");

/** Refuses UTF-16, which spreadsheets and PowerShell write, with a clear message. */
async function* utf8(chunks: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)))
      throw new UsageError(`${label} is UTF-16; save it as UTF-8.`);
    first = false;
    yield chunk;
  }
}

/** The id in a text; undefined if it has none and is not the first. */
const checked = (
  { label, onUnreadable, idOf }: Source,
  where: () => string,
  isFirst: boolean,
  idIn: (text: string) => string,
  text: string,
): string | undefined => {
  try {
    return idOf(idIn(text));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const message = `${label}, ${where()}: ${error.message}`;
    if (isFirst) throw new UsageError(message);
    onUnreadable(message);
    return undefined;
  }
};

const fromJson = (line: string): string => {
  const value = parsed(line);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`not a JSON object: ${line.slice(0, 40)}`);
  const name = idName(Object.keys(value));
  const { [name ?? ""]: id, source } = value as Record<string, unknown>;
  if (typeof id !== "string")
    throw new UsageError(`no text in a key named ${ID_NAMES.join(", ")}: ${line.slice(0, 40)}`);
  // Rows of `list --json` and of exports name the source: the same id may be that of a call and of a chat session.
  const isNamed = SOURCES.some((each) => each === source) && qualifiedSource(id) === undefined;
  return isNamed ? `${source}:${id}` : id;
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Whether a line is a CSV header with an id column. */
export const isHeader = (line: string): boolean =>
  idName(line.split(/[,;\t]/).map((cell) => cell.replace(/"/g, ""))) !== undefined;

async function* fromCsv(source: Source, header: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  const { default: Papa } = await import("papaparse");
  async function* text(): AsyncGenerator<string> {
    yield `${header}\n`;
    for await (const line of rest) if (!isIgnored(line)) yield `${line}\n`;
  }
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, {
    header: true,
    skipEmptyLines: "greedy",
    // Chosen by the header, because cells may contain any of these characters.
    delimiter: [",", ";", "\t"].find((mark) => header.includes(mark)) ?? ",",
  });
  const feed = Readable.from(text());
  // pipe() does not forward errors.
  feed.on("error", (error) => parser.destroy(error));
  feed.pipe(parser);
  let row = 0;
  for await (const record of parser as AsyncIterable<Record<string, string>>) {
    row += 1;
    const cell = record[idName(Object.keys(record)) ?? ""] ?? "";
    if (cell.trim() === "") continue;
    const id = checked(source, () => `record ${row}`, row === 1, unchanged, cell);
    if (id !== undefined) yield id;
  }
}
