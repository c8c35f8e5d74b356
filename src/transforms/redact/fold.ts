/** A placeholder of any earlier redaction. */
export const PLACEHOLDER = /<([A-Z][A-Z0-9_]{0,60})_(\d{1,9})>/g;

/** Replaces the characters of a placeholder; only a user's pattern can match it. */
const MASK = "\0";

/** Full-width letters, digits, the signs inside numbers, addresses and links, and the wide space. */
const WIDE = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a（）＋－．／：＠＿\u3000]/g;

const narrow = (character: string): string =>
  character === "\u3000" ? " " : String.fromCharCode(character.charCodeAt(0) - 0xfee0);

/** Hides the placeholders of a text; offsets do not change. */
export const maskPlaceholders = (text: string): string =>
  text.includes("<") ? text.replace(PLACEHOLDER, (found) => MASK.repeat(found.length)) : text;

/** Turns full-width characters into narrow ones; offsets do not change. */
export const foldWidth = (text: string): string => text.replace(WIDE, narrow);

/** Whether a masked text has anything but placeholders. */
export const hasUnmasked = (text: string): boolean => [...text].some((character) => character !== MASK);

/** Widens offsets so that they contain only whole placeholders. */
export const widen = (text: string, start: number, end: number): { start: number; end: number } => {
  let [from, to] = [start, end];
  if (text[from] === MASK) while (text[from - 1] === MASK) from -= 1;
  if (text[to - 1] === MASK) while (text[to] === MASK) to += 1;
  return { start: from, end: to };
};
