import type { Json } from "../core/transcript.ts";

/** A value that may begin with 16 digits: shorter whole numbers are always exact. */
const MAY_HAVE_LONG_NUMBER = /(?:^|[:[,\s])-?\d{16}/;

/** A complete JSON whole number with 16 digits or more; not a part of another token, and not a key. */
const LONG_NUMBER = /(?<![\w.+-])-?[1-9]\d{15,}(?![\w.+]|\s*:)/g;

/**
`JSON.parse`, but whole numbers that would lose digits (usually ids) become text.

It accepts exactly the texts that `JSON.parse` accepts. Numbers with a fraction or exponent stay numbers, because ids
have neither.

@throws SyntaxError
*/
export const parseExact = (text: string): Json =>
  JSON.parse(MAY_HAVE_LONG_NUMBER.test(text) ? quoteLongNumbers(text) : text) as Json;

/** Searches from quote to quote, because a regular expression for strings overflows the stack on a long string. */
const quoteLongNumbers = (text: string): string => {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const opening = text.indexOf('"', at);
    const end = opening < 0 ? text.length : opening;
    pieces.push(text.slice(at, end).replace(LONG_NUMBER, quoteIfUnsafe));
    at = opening < 0 ? text.length : endOfString(text, opening);
    pieces.push(text.slice(end, at));
  }
  return pieces.join("");
};

const quoteIfUnsafe = (digits: string): string => (Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`);

/** The index after the string's closing quote, or the end of the text when there is none. */
const endOfString = (text: string, opening: number): number => {
  for (let quote = text.indexOf('"', opening + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
};
