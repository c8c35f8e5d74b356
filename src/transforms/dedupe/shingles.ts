import { SLOT } from "./slots.ts";

/** Tokens in a shingle. */
export const SHINGLE = 5;

/**
Text for comparison: NFKC (full width becomes half width), lower case, single spaces.

Case and width from speech recognition are random, so they must not make two calls different.
*/
export const folded = (text: string): string => text.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();

const GAP = 0;
const LETTER = 1;
const ALONE = 2;
/** Makes its word a number. */
const DIGIT = 3;
/** A number by itself, as Chinese ones are written and spoken. */
const NUMERAL = 4;

const NUMERALS = `零〇一二两三四五六七八九十百千万亿幺${SLOT}`;

/** The class of each UTF-16 unit, in a table because regular expressions would take most of the time. */
let classes: Uint8Array | undefined;
const classTable = (): Uint8Array => {
  classes ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => {
    // Halves of characters beyond U+FFFF, rare Han characters and emoji, are tokens of their own.
    if (unit >= 0xd800 && unit <= 0xdfff) return ALONE;
    const character = String.fromCharCode(unit);
    if (NUMERALS.includes(character)) return NUMERAL;
    // Scripts that put no spaces between words.
    const isAlone = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}]/u;
    if (isAlone.test(character)) return ALONE;
    if (/\p{N}/u.test(character)) return DIGIT;
    return /[\p{L}\p{M}]/u.test(character) ? LETTER : GAP;
  });
  return classes;
};

const FIRST = 0x811c9dc5;
const withUnit = (word: number, unit: number): number => Math.imul(word ^ unit, 0x01000193);
const hashOf = (word: string): number =>
  [...word].reduce((hash, letter) => withUnit(hash, letter.charCodeAt(0)), FIRST);

/** Digits as they are spoken in English. */
const SPOKEN_DIGITS: ReadonlySet<number> = new Set(
  ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"].map(hashOf),
);
/** Every number, name and placeholder is this token, and several in a row are one. */
const SLOT_TOKEN = 0x51077e11;

/**
Makes 32-bit hashes of every five consecutive tokens of folded texts that follow each other.

A token is a Chinese character, or a word of another script. Punctuation is ignored. A number is the same token whatever its
digits, and so are the signs of `withSlots`: calls that differ in a phone number have the same shingles.
*/
export const createShingler = () => {
  const table = classTable();
  /** The last four tokens of earlier texts, then those of this one. */
  let tokens = new Int32Array(256);
  let hashes = new Int32Array(256);
  let carried = 0;
  let count = 0;

  /** Appends the tokens of a text; returns how many there are then. */
  const tokenize = (text: string): number => {
    let length = carried;
    let last = length > 0 ? (tokens[length - 1] ?? 0) : 0;
    let word = FIRST;
    let isInWord = false;
    let isNumber = false;
    // One step more than there are units ends the last word.
    for (let at = 0; at <= text.length; at++) {
      const unit = at < text.length ? text.charCodeAt(at) : 0;
      const kind = table[unit] ?? GAP;
      if (kind === LETTER || kind === DIGIT) {
        word = withUnit(word, unit);
        isInWord = true;
        if (kind === DIGIT) isNumber = true;
        continue;
      }
      if (isInWord) {
        const token = isNumber || SPOKEN_DIGITS.has(word) ? SLOT_TOKEN : mixed(word);
        if (token !== SLOT_TOKEN || last !== SLOT_TOKEN) tokens[length++] = last = token;
        word = FIRST;
        isInWord = false;
        isNumber = false;
      }
      if (kind === ALONE) tokens[length++] = last = mixed(unit);
      else if (kind === NUMERAL && last !== SLOT_TOKEN) tokens[length++] = last = SLOT_TOKEN;
    }
    return length;
  };

  return {
    /** The hashes of the shingles that end in this text; valid until the next text. No word continues from text to text. */
    feed: (text: string): Int32Array => {
      if (tokens.length < text.length + SHINGLE) {
        const larger = new Int32Array(2 * (text.length + SHINGLE));
        larger.set(tokens.subarray(0, carried));
        tokens = larger;
        hashes = new Int32Array(larger.length);
      }
      const length = tokenize(text);
      count += length - carried;
      let made = 0;
      for (let at = SHINGLE - 1; at < length; at++)
        hashes[made++] = five(
          tokens[at - 4] ?? 0,
          tokens[at - 3] ?? 0,
          tokens[at - 2] ?? 0,
          tokens[at - 1] ?? 0,
          tokens[at] ?? 0,
        );
      carried = Math.min(length, SHINGLE - 1);
      tokens.copyWithin(0, length - carried, length);
      return hashes.subarray(0, made);
    },
    /** The hash of all tokens while they are fewer than a shingle has; undefined without tokens, and with enough. */
    rest: (): number | undefined => {
      if (count === 0 || count >= SHINGLE) return undefined;
      const [d = 0, c = 0, b = 0, a = 0] = [...tokens.subarray(0, count)].reverse();
      return five(0, a, b, c, d);
    },
    /** How many tokens there were. */
    get tokens() {
      return count;
    },
  };
};

/** Calls `each` with the hashes of a folded text: of its shingles; if it is shorter than one, of all of it. */
export const eachShingle = (text: string, each: (hash: number) => void): void => {
  const shingler = createShingler();
  for (const hash of shingler.feed(text)) each(hash);
  const rest = shingler.rest();
  if (rest !== undefined) each(rest);
};

const five = (a: number, b: number, c: number, d: number, e: number): number => {
  let hash = turned(a);
  hash = turned(hash ^ b);
  hash = turned(hash ^ c);
  hash = turned(hash ^ d);
  return mixed(turned(hash ^ e));
};

const turned = (hash: number): number => {
  const product = Math.imul(hash, 0x9e3779b1);
  return ((product << 13) | (product >>> 19)) + 0x7ed55d16;
};

/** The end of MurmurHash3: every bit of the result depends on every bit of the hash. */
export const mixed = (hash: number): number => {
  let bits = hash ^ (hash >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
};
