/** A placeholder of any earlier redaction. */
export const PLACEHOLDER = /<([A-Z][A-Z0-9_]{0,60})_(\d{1,9})>/g;

/** Stands for the characters of a placeholder: nothing matches it but a pattern of the user's. */
const MASK = "\0";

/** Full-width letters, digits and what stands between them in numbers, addresses and links, and the wide space. */
const WIDE = /[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a（）＋－．／：＠＿\u3000]/g;

const narrow = (character: string): string =>
  character === "\u3000" ? " " : String.fromCharCode(character.charCodeAt(0) - 0xfee0);

/** The text with its placeholders out of sight; offsets stay as they are. */
export const masked = (text: string): string =>
  text.includes("<") ? text.replace(PLACEHOLDER, (found) => MASK.repeat(found.length)) : text;

/** A masked text in narrow characters; offsets stay as they are. */
export const folded = (text: string): string => text.replace(WIDE, narrow);

/** Whether anything in it is not a placeholder's. */
export const unmasked = (text: string): boolean => [...text].some((character) => character !== MASK);

/** The offsets widened so that they hold no placeholder by half. */
export const widened = (text: string, start: number, end: number): { start: number; end: number } => {
  let [from, to] = [start, end];
  if (text[from] === MASK) while (text[from - 1] === MASK) from -= 1;
  if (text[to - 1] === MASK) while (text[to] === MASK) to += 1;
  return { start: from, end: to };
};
