import { INTERRUPTED } from "../../core/transcript.ts";

/** A placeholder of any earlier redaction. */
export const PLACEHOLDER = /<([A-Z][A-Z0-9_]{0,60})_(\d{1,9})>/g;

/** Replaces the characters of a placeholder; only a user's pattern can match it. */
const MASK = "\0";

/** Stands for the barge-in tag: separates nothing, but is part of no word. */
export const BARGE_IN = "\u2063";

/** Full-width letters, digits, the signs inside numbers, addresses and links, and the wide space. */
const WIDE = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a（）＋－．／：＠＿\u3000]/g;

/** Characters without width, marks of direction, the frame of keycap digits (1️⃣), and the barge-in tag. */
const UNSEEN = new RegExp(
  `[\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u2069\\ufe0e\\ufe0f\\ufeff\\u20e3]|${INTERRUPTED}`,
  "g",
);
const HAS_UNSEEN = new RegExp(UNSEEN.source);
/** Between these the barge-in tag stands inside a number or word; words of letters it may separate. */
const JOINABLE = /[\d\u4e00-\u9fff]/;
const KEYCAP = /[\ufe0f\u20e3]/;

const narrow = (character: string): string =>
  character === "\u3000" ? " " : String.fromCharCode(character.charCodeAt(0) - 0xfee0);

/** Hides the placeholders of a text; offsets do not change. */
export const maskPlaceholders = (text: string): string =>
  text.includes("<") ? text.replace(PLACEHOLDER, (found) => MASK.repeat(found.length)) : text;

/** A text as the finders read it. */
export interface Folded {
  /** With narrow characters, and without those that nobody sees. */
  text: string;
  /** The place of a find in the text that was folded. */
  placeOf<Place extends { start: number; end: number }>(found: Place): Place;
}

/** Folds a masked text. Most texts keep their offsets. */
export const fold = (masked: string): Folded => {
  const text = masked.replace(WIDE, narrow);
  return HAS_UNSEEN.test(text) ? withoutUnseen(text) : { text, placeOf: (found) => found };
};

const withoutUnseen = (text: string): Folded => {
  const pieces: string[] = [];
  const places: number[] = [];
  let from = 0;
  const keep = (end: number): void => {
    pieces.push(text.slice(from, end));
    for (; from < end; from += 1) places.push(from);
  };
  for (const { 0: unseen, index } of text.matchAll(UNSEEN)) {
    keep(index);
    const after = text[index + unseen.length] ?? "";
    if (unseen === INTERRUPTED && !(JOINABLE.test(text[index - 1] ?? "") && JOINABLE.test(after))) {
      pieces.push(BARGE_IN);
      places.push(index);
    }
    from = index + unseen.length;
  }
  keep(text.length);
  return {
    text: pieces.join(""),
    placeOf: (found) => {
      let end = (places[found.end - 1] ?? 0) + 1;
      while (KEYCAP.test(text[end] ?? "")) end += 1;
      return { ...found, start: places[found.start] ?? 0, end };
    },
  };
};

/** Whether a masked text has anything but placeholders. */
export const hasUnmasked = (text: string): boolean => [...text].some((character) => character !== MASK);

/** Widens offsets so that they contain only whole placeholders. */
export const widen = (text: string, start: number, end: number): { start: number; end: number } => {
  let [from, to] = [start, end];
  if (text[from] === MASK) while (text[from - 1] === MASK) from -= 1;
  if (text[to - 1] === MASK) while (text[to] === MASK) to += 1;
  return { start: from, end: to };
};
