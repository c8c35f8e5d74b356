import type { Message } from "../../core/sample.ts";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";
import { lines } from "../../parse/lines.ts";
import { messagesOfRow } from "../../presets/checks/row-messages.ts";
import { bytesOf } from "../check/lines.ts";

/**
The dialogs of an evaluation file, row by row: JSON lines of any preset, CSV with a header, Parquet, or a text per line
(`.txt`, `.md`). `.gz` is unpacked. A row of another shape counts with all its texts.

@throws Error that names the row which cannot be read, without its content
*/
export async function* excludedRows(path: string): AsyncGenerator<Message[]> {
  const name = path.toLowerCase().replace(/\.gz$/, "");
  if (name.endsWith(".parquet")) yield* parquetDialogs(path);
  else if (/\.[ct]sv$/.test(name)) yield* tableDialogs(path);
  else yield* lineDialogs(path, /\.(txt|md|text)$/.test(name));
}

async function* parquetDialogs(path: string): AsyncGenerator<Message[]> {
  const { asyncBufferFromFile } = await import("hyparquet");
  const { parquetRows } = await import("../../presets/files/parquet-rows.ts");
  let number = 0;
  try {
    for await (const row of parquetRows(await asyncBufferFromFile(path))) {
      number += 1;
      yield dialogOf(row);
    }
  } catch {
    // The reader's message can quote the file.
    throw new Error(`it is no readable Parquet file (after row ${number})`);
  }
}

async function* tableDialogs(path: string): AsyncGenerator<Message[]> {
  const { default: Papa } = await import("papaparse");
  const parser = Papa.parse(Papa.NODE_STREAM_INPUT, { header: true, skipEmptyLines: "greedy" });
  const bytes = bytesOf(path);
  bytes.on("error", (error) => parser.destroy(error));
  bytes.pipe(parser);
  for await (const record of parser as AsyncIterable<Record<string, unknown>>) {
    const cells = Object.entries(record).filter(([, cell]) => typeof cell === "string");
    yield dialogOf(Object.fromEntries(cells.map(([column, cell]) => [column, cellOf(cell as string)])));
  }
}

/** A cell may hold messages as JSON. */
const cellOf = (cell: string): Json => {
  if (!/^\s*[[{]/.test(cell)) return cell;
  try {
    return JSON.parse(cell) as Json;
  } catch {
    return cell;
  }
};

async function* lineDialogs(path: string, isText: boolean): AsyncGenerator<Message[]> {
  let number = 0;
  for await (const line of lines(bytesOf(path) as AsyncIterable<Uint8Array>)) {
    number += 1;
    const text = number === 1 ? line.replace(/^\ufeff/, "") : line;
    // An empty line keeps its number, so that rows are lines.
    if (isText || text.trim() === "") yield [said(text)];
    else yield dialogOf(jsonOf(text, number));
  }
}

const jsonOf = (text: string, number: number): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Error(`line ${number} is not JSON (a file with a text per line is named .txt)`);
  }
};

const said = (content: string): Message => ({ role: "user", content });

const dialogOf = (row: Json): Message[] => {
  if (!isObject(row)) return [said(textsIn(row).join("\n"))];
  const messages = messagesOfRow(row);
  const hasText = messages.some(({ role, content }) => role !== "system" && content.trim() !== "");
  return hasText ? messages : [said(textsIn(row).join("\n"))];
};

/** How deep texts are looked for. */
const DEPTH = 20;

const textsIn = (value: Json | JsonObject, depth = 0): string[] => {
  if (typeof value === "string") return [value];
  if (depth > DEPTH || typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((item) => textsIn(item, depth + 1));
};
