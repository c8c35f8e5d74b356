import { InvalidDocument } from "../core/errors.ts";
import type { Json } from "../core/transcript.ts";
import { lines } from "./lines.ts";
import { parseExact } from "./values-exact.ts";

/** A value of a file, or why there is none. */
export interface JsonEntry {
  /** The line where it begins, from 1. */
  line: number;
  value?: Json;
  /** The text of a value that is not JSON. */
  broken?: string;
}

/** Characters of one value of several lines, at most. */
const LIMIT = 64 * 1024 * 1024;

/**
The JSON values of a file: one per line, or of several lines each, or the elements of one array.

A line that is not JSON does not affect the others.

@throws InvalidDocument with code `LineTooLong`
*/
export async function* jsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonEntry> {
  let number = 0;
  let collecting: Splitter | undefined;
  let isFirst = true;
  for await (const line of lines(chunks)) {
    number += 1;
    if (collecting) {
      yield* collecting.add(line, number);
      continue;
    }
    if (line.trim() === "") continue;
    const entry = parsedLine(line, number);
    // Only the first value tells which kind of file it is: a line that is cut must not swallow those after it.
    if (isFirst && entry.broken !== undefined && BEGINNING.test(line)) {
      collecting = new Splitter();
      yield* collecting.add(line, number);
    } else yield entry;
    isFirst = false;
  }
  if (collecting) yield* collecting.end();
}

/** A line that only opens an object or array, as in JSON that is written over several lines. */
const BEGINNING = /^\s*(?:[[{]\s*)+(?:"(?:[^"\\]|\\.)*"\s*:\s*)?[[{]?\s*$|^\s*\[/;

const parsedLine = (text: string, line: number): JsonEntry => {
  try {
    return { line, value: parseExact(text) };
  } catch {
    return { line, broken: text };
  }
};

/** Takes values of several lines apart: those behind each other, and the elements of an array around all of them. */
class Splitter {
  #text: string[] = [];
  #length = 0;
  #from = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Whether all values are in one array. */
  #inArray: boolean | undefined;
  /** Where something begins that is neither object nor array. */
  #strange: number | undefined;

  *add(line: string, number: number): Generator<JsonEntry> {
    let from = 0;
    for (let at = 0; at < line.length; at += 1) {
      const char = line[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (char === "\\") this.#escaped = true;
        else if (char === '"') this.#inString = false;
        continue;
      }
      if (this.#depth === 0 && this.#strange !== undefined && (char === "," || char === "]")) yield this.#takeStrange();
      if (this.#depth === 0 && char !== undefined && !/[\s,[\]{}]/.test(char)) this.#strange ??= number;
      if (char === '"') this.#inString = true;
      else if (char === "[" || char === "{") {
        if (this.#inArray === undefined) {
          this.#inArray = char === "[";
          if (this.#inArray) {
            from = at + 1;
            continue;
          }
        }
        if (this.#depth === 0) {
          from = at;
          this.#from = number;
        }
        this.#depth += 1;
      } else if (char === "]" || char === "}") {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#keep(line.slice(from, at + 1));
          yield this.#take();
          from = at + 1;
        } else if (this.#depth < 0) this.#depth = 0;
      }
    }
    if (this.#depth > 0) this.#keep(`${line.slice(from)}\n`);
  }

  *end(): Generator<JsonEntry> {
    if (this.#strange !== undefined) yield this.#takeStrange();
    if (this.#length > 0) yield this.#take();
  }

  #takeStrange(): JsonEntry {
    const entry = { line: this.#strange ?? 0, broken: "" };
    this.#strange = undefined;
    return entry;
  }

  #keep(text: string): void {
    this.#length += text.length;
    if (this.#length > LIMIT) throw new InvalidDocument(`a value has more than ${LIMIT} characters`, "LineTooLong");
    this.#text.push(text);
  }

  #take(): JsonEntry {
    const text = this.#text.join("");
    this.#text = [];
    this.#length = 0;
    return parsedLine(text, this.#from);
  }
}
