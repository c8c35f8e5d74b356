import { escapeControlTokens } from "../../core/control-tokens.ts";
import { changeWithin } from "../../core/json-text.ts";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";
import type { Preset } from "../shape.ts";
import { CONTROL, placeholdersLeft, type Spare, takes } from "./content-rules.ts";
import { outsideOwnTags } from "./own-tags.ts";
import { copyRules, type FindCopy } from "./row-copies.ts";
import { readLine, textRules } from "./text-rules.ts";
import { saysAnswer } from "./texts.ts";

/** A line of the mended file; absent if the line is left out. */
export interface MendedLine {
  line?: string | Uint8Array;
  /** The rules whose findings are mended. */
  fixes: readonly string[];
}

export type MendLine = (bytes: Uint8Array) => MendedLine;

/**
Mends what has one right answer: byte order mark, line ends, empty lines, copies of rows, halves of characters, control
characters, and control tokens, which get a backslash. All other lines and rows stay byte for byte as they are, also those
whose numbers would be written differently.
*/
export const createMender = (choose: (row: JsonObject) => Preset | undefined, findCopy: FindCopy): MendLine => {
  let lines = 0;
  let preset: Preset | undefined;
  let isChosen = false;
  return (bytes) => {
    lines += 1;
    const isWindows = bytes.at(-1) === 0x0d;
    const own = isWindows ? bytes.subarray(0, -1) : bytes;
    const { row, problems } = readLine(own, lines === 1);
    const found = new Set(problems.map(({ rule }) => rule.id));
    if (found.has(textRules.blank.id)) return { fixes: [textRules.blank.id] };
    const fixes = new Set<string>(isWindows ? [textRules.crlf.id] : []);
    const hasMark = found.has(textRules.bom.id);
    if (hasMark) fixes.add(textRules.bom.id);
    const line = hasMark ? own.subarray(3) : own;
    // A row of replaced bytes, or with a key twice, is not what the line says.
    if (row === undefined || found.has(textRules.utf8.id) || found.has(textRules.twice.id))
      return { line, fixes: [...fixes] };
    if (!isChosen) preset = choose(row);
    isChosen = true;
    const mended = mendRow(row, line, preset);
    if (findCopy(mended.row, lines)) return { fixes: [copyRules.duplicate.id] };
    for (const fix of mended.fixes) fixes.add(fix);
    return { line: mended.text ?? line, fixes: [...fixes] };
  };
};

interface MendedRow {
  row: JsonObject;
  /** Absent if the row stays as it is. */
  text?: string;
  fixes: Iterable<string>;
}

const mendRow = (row: JsonObject, line: Uint8Array, preset: Preset | undefined): MendedRow => {
  const same = { row, fixes: [] };
  try {
    const fixes = new Set<string>();
    const spare = preset?.media ? placeholdersLeft(row) : {};
    const mended = mendValue(row, { isAnswer: false, mend: createMend(spare, fixes) });
    if (fixes.size === 0 || !isObject(mended) || !keepsNumbers(Buffer.from(line).toString())) return same;
    return { row: mended, text: JSON.stringify(mended), fixes };
  } catch (error) {
    // A row that is nested deeper than the stack stays as it is.
    if (error instanceof RangeError) return same;
    throw error;
  }
};

interface Mending {
  isAnswer: boolean;
  mend: (text: string, isAnswer: boolean) => string;
}

const mendValue = (value: Json, { isAnswer, mend }: Mending): Json => {
  if (typeof value === "string") return mend(value, isAnswer);
  if (Array.isArray(value)) return value.map((item) => mendValue(item, { isAnswer, mend }));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      mendValue(item, { isAnswer: isAnswer || saysAnswer(value, key), mend }),
    ]),
  );
};

const createMend = (spare: Spare, fixes: Set<string>) => {
  const step = (fix: string, before: string, after: string): string => {
    if (after !== before) fixes.add(fix);
    return after;
  };
  const isRight = (name: string, isBroken: boolean): boolean => isBroken || takes(spare, name);
  const mendPlain = (text: string): string => {
    const whole = step(textRules.surrogate.id, text, text.toWellFormed());
    const lines = step("carriage-return", whole, whole.replace(/\r\n?/g, "\n"));
    const visible = CONTROL.test(lines) ? lines.replace(new RegExp(CONTROL, "g"), "") : lines;
    return step("control-character", lines, visible);
  };
  const mendTokens = (text: string): string => step("control-token", text, escapeControlTokens(text, isRight).text);
  return (text: string, isAnswer: boolean): string => {
    const plain = mendPlain(text);
    // A backslash in the text of a string would be no JSON any more.
    const mendPiece = (piece: string): string => changeWithin(piece, mendTokens);
    return isAnswer ? outsideOwnTags(plain, mendPiece) : mendPiece(plain);
  };
};

/** Whether the numbers of a JSON text are the same after reading and writing: `1.0` and 20 digits are not. */
const keepsNumbers = (text: string): boolean => {
  const bare = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, "");
  return (bare.match(/-?\d[\d.eE+-]*/g) ?? []).every((number) => String(Number(number)) === number);
};
