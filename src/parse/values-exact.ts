import type { Json } from "../core/transcript.ts";

/** Somewhere a value may begin with 16 digits: the least that can be beyond what a number holds exactly. */
const MAY_HAVE_LONG_NUMBER = /(?:^|[:[,\s])-?\d{16}/;

/** A whole number of JSON with 16 digits or more, nothing else: neither part of one, nor of what is no JSON, nor a key. */
const LONG_NUMBER = /(?<![\w.+-])-?[1-9]\d{15,}(?![\w.+]|\s*:)/g;

/**
`JSON.parse`, but whole numbers that would lose digits (ids, mostly) come as text.

Whatever is JSON for one is JSON for the other. Fractions and exponents stay numbers: they are measures, not names.

@throws SyntaxError
*/
export const parseExact = (text: string): Json =>
  JSON.parse(MAY_HAVE_LONG_NUMBER.test(text) ? quoteLongNumbers(text) : text) as Json;

/** By hand from quote to quote: a pattern for strings overflows its stack on a long one. */
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

/** Behind the quote that ends the string; the end of the text where there is none. */
const endOfString = (text: string, opening: number): number => {
  for (let quote = text.indexOf('"', opening + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
};
