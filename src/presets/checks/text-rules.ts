import { isObject, type JsonObject } from "../../core/transcript.ts";
import { hasKeyTwice } from "./duplicate-keys.ts";
import { kindOf, type Rule } from "./rule.ts";

type TextRule = Pick<Rule, "id" | "severity" | "effect">;

const rule = (id: string, severity: Rule["severity"], effect: string): TextRule => ({ id, severity, effect });

/** Rules for lines, independent of the preset. */
export const textRules = {
  bom: rule("bom", "error", "Readers of JSON lines stop at a byte order mark."),
  utf8: rule("not-utf8", "error", "Readers stop, or replace it by U+FFFD."),
  blank: rule("blank-line", "warning", "Most readers skip it; Together and OpenAI refuse the file."),
  json: rule("not-json", "error", "Readers stop there, or skip the line."),
  object: rule("not-an-object", "error", "A row must be an object."),
  array: rule("json-array", "error", "The file is one JSON array; readers of JSON lines stop at its first line."),
  surrogate: rule(
    "lone-surrogate",
    "error",
    "The text has half of a character: some readers raise, others corrupt the row.",
  ),
  twice: rule(
    "duplicate-key",
    "error",
    "Readers of tables raise at a key that an object has twice; others take the last one.",
  ),
  crlf: rule("crlf", "warning", "Windows line ends: most readers take them, a search for whole lines does not."),
  parquet: rule(
    "broken-parquet",
    "error",
    "The rest cannot be read: it is no Parquet file, is damaged, or is not compressed by Snappy.",
  ),
  long: rule("line-too-long", "error", "No reader accepts a line of that size."),
  gzip: rule("broken-gzip", "error", "The rest is lost: the file is not gzip, or is incomplete."),
  empty: rule("no-rows", "error", "Hugging Face datasets crashes at a file without rows."),
  shape: rule("unknown-shape", "error", "The rows fit no preset; name one with --preset."),
} as const satisfies Record<string, TextRule>;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export interface ReadLine {
  row?: JsonObject;
  problems: { rule: TextRule; detail: string }[];
  /** No further line can be read. */
  ends?: true;
}

/** Reads one line as a row, and reports what is wrong with its text. `bytes` has no line end. */
export const readLine = (bytes: Uint8Array, isFirst: boolean): ReadLine => {
  const problems: ReadLine["problems"] = [];
  const add = (rule: TextRule, detail: string): void => void problems.push({ rule, detail });
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    add(textRules.utf8, "bytes that are not UTF-8");
    text = new TextDecoder().decode(bytes);
  }
  if (isFirst && text.startsWith("\uFEFF")) {
    add(textRules.bom, "a byte order mark");
    text = text.slice(1);
  }
  if (text.trim() === "") {
    add(textRules.blank, "has no text");
    return { problems };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The messages of JSON.parse are not used, because they quote the conversation.
    if (isFirst && /^\s*\[/.test(text)) {
      add(textRules.array, "a list begins");
      return { problems, ends: true };
    }
    add(textRules.json, "is not JSON, or is incomplete");
    return { problems };
  }
  if (/\\u[dD]/.test(text) && !wellFormed(value)) add(textRules.surrogate, "half of a character, as an escape");
  if (hasKeyTwice(text)) add(textRules.twice, "an object has a key twice");
  if (isObject(value)) return { row: value, problems };
  if (isFirst && Array.isArray(value)) {
    add(textRules.array, "a list");
    return { problems, ends: true };
  }
  add(textRules.object, `is ${kindOf(value)}`);
  return { problems };
};

/** Without recursion: a hostile file may nest deeper than the stack. */
const wellFormed = (value: unknown): boolean => {
  const open = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one === "string" && !one.isWellFormed()) return false;
    if (Array.isArray(one)) for (const item of one) open.push(item);
    else if (isObject(one)) for (const [key, item] of Object.entries(one)) open.push(key, item);
  }
  return true;
};
