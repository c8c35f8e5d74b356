import { isObject } from "../../core/transcript.ts";

/** A find of the command in a text, in UTF-16 units as JavaScript counts. */
export interface CommandSpan {
  start: number;
  end: number;
  /** In lower case, with hyphens. */
  name: string;
}

/** An answer that cannot be used. The message says why, and quotes nothing of it. */
export class WrongAnswer extends Error {
  override readonly name = "WrongAnswer";
}

const CATEGORY = /^[a-z][a-z0-9_-]{0,39}$/i;
/** More finds than this in one text are a mistake, not redaction. */
const MOST_SPANS = 100_000;

export interface Answer {
  id: number;
  spans: readonly unknown[];
}

/** @throws WrongAnswer */
export const parseAnswer = (line: string): Answer => {
  const answer = parsed(line);
  if (!isObject(answer)) throw new WrongAnswer("is no JSON object");
  const { id, spans } = answer;
  if (typeof id !== "number" || !Number.isSafeInteger(id)) throw new WrongAnswer("has no id");
  if (!Array.isArray(spans)) throw new WrongAnswer("has no list of spans");
  if (spans.length > MOST_SPANS) throw new WrongAnswer("has too many spans");
  return { id, spans };
};

const parsed = (line: string) => {
  try {
    return JSON.parse(line);
  } catch {
    throw new WrongAnswer("is not JSON");
  }
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
