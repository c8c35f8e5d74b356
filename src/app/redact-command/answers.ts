import { isObject, type JsonObject } from "../../core/transcript.ts";
import type { Dialog } from "../command/line-program.ts";
import { WrongAnswer } from "../command/wrong-answer.ts";

/** A find of the command in a text, in UTF-16 units as JavaScript counts. */
export interface CommandSpan {
  start: number;
  end: number;
  /** In lower case, with hyphens. */
  name: string;
}

const CATEGORY = /^[a-z][a-z0-9_-]{0,39}$/i;
/** More finds than this in one text are a mistake, not redaction. */
const MOST_SPANS = 100_000;

/** The command that redacts is asked for the finds in a text. */
export const REDACT_DIALOG: Dialog<string, CommandSpan[]> = {
  name: "redact command",
  things: "texts",
  timeoutFlag: "--redact-timeout",
  // Python cannot print half a surrogate pair; the replacement has the same length.
  ask: (text) => ({ text: text.toWellFormed() }),
  read: ({ spans }: JsonObject, text) => {
    if (!Array.isArray(spans)) throw new WrongAnswer("has no list of spans");
    if (spans.length > MOST_SPANS) throw new WrongAnswer("has too many spans");
    return spansIn(text, spans);
  },
};

/**
Checks the finds in a text. Their offsets count characters (code points), as Python does.

@throws WrongAnswer
*/
export const spansIn = (text: string, spans: readonly unknown[]): CommandSpan[] => {
  if (spans.length === 0) return [];
  const offsets = offsetsOf(text);
  return spans.map((span) => {
    if (!isObject(span)) throw new WrongAnswer("has a span that is no object");
    const { start, end, category, text: quoted } = span;
    if (typeof category !== "string" || !CATEGORY.test(category))
      throw new WrongAnswer("has a span without a valid category");
    const [from, to] = [offsets(start), offsets(end)];
    if (from === undefined || to === undefined || from >= to) throw new WrongAnswer("has a span outside its text");
    if (quoted !== undefined && quoted !== text.slice(from, to))
      throw new WrongAnswer("has a span whose text is not at its place; offsets count characters, not bytes");
    return { start: from, end: to, name: category.toLowerCase().replaceAll("_", "-") };
  });
};

/** The place of a character in UTF-16 units; undefined outside the text. */
const offsetsOf = (text: string): ((at: unknown) => number | undefined) => {
  const inside = (at: unknown, most: number): at is number =>
    Number.isSafeInteger(at) && Number(at) >= 0 && Number(at) <= most;
  if (!/[\ud800-\udbff]/.test(text)) return (at) => (inside(at, text.length) ? at : undefined);
  const places = [0];
  for (const character of text) places.push((places.at(-1) ?? 0) + character.length);
  return (at) => (inside(at, places.length - 1) ? places[at] : undefined);
};
