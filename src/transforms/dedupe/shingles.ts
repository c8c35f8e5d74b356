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

/** The class of each UTF-16 unit, in a table because regular expressions would take most of the time. */
let classes: Uint8Array | undefined;
const classTable = (): Uint8Array => {
  classes ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => {
    // Halves of characters beyond U+FFFF, rare Han characters and emoji, are tokens of their own.
    if (unit >= 0xd800 && unit <= 0xdfff) return ALONE;
    const character = String.fromCharCode(unit);
    // Scripts that put no spaces between words.
    const isAlone = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Thai}]/u;
    if (isAlone.test(character)) return ALONE;
    return /[\p{L}\p{N}\p{M}]/u.test(character) ? LETTER : GAP;
  });
  return classes;
};

/**
Calls `each` with a 32-bit hash of every five consecutive tokens of a folded text; if it has fewer, with one hash of all.

A token is a Chinese character, or a word of another script. Punctuation is ignored. Returns the number of hashes.
*/
export const eachShingle = (text: string, each: (hash: number) => void): number => {
  const table = classTable();
  let [a, b, c, d, e] = [0, 0, 0, 0, 0];
  let tokens = 0;
  let word = 0;
  let isInWord = false;
  const token = (hash: number): void => {
    [a, b, c, d, e] = [b, c, d, e, hash];
    if (++tokens >= SHINGLE) each(five(a, b, c, d, e));
  };
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const kind = table[unit] ?? GAP;
    if (kind === LETTER) {
      word = Math.imul(isInWord ? word ^ unit : 0x811c9dc5 ^ unit, 0x01000193);
      isInWord = true;
      continue;
    }
    if (isInWord) token(mixed(word));
    isInWord = false;
    if (kind === ALONE) token(mixed(unit));
  }
  if (isInWord) token(mixed(word));
  if (tokens > 0 && tokens < SHINGLE) each(five(a, b, c, d, e));
  return tokens < SHINGLE ? Math.min(tokens, 1) : tokens - SHINGLE + 1;
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
