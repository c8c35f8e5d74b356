import { createShingler, mixed } from "./shingles.ts";

const HASHES = 112;
/** A hash is kept as one byte, four in a word. */
export const SIGNATURE_WORDS = HASHES / 4;
/** Of an answer, one bit of each of the first hashes is kept. */
const ANSWER_BITS = 64;
export const ANSWER_WORDS = ANSWER_BITS / 32;

/** The least Jaccard similarity of near copies, estimated from their signatures. */
export const SIMILARITY = 0.7;
/** Below it, signatures are cut into twice as many bands, because candidates share fewer hashes in a row. */
const MANY_BANDS_BELOW = 0.65;

/** How a signature is cut to find candidates: they agree in all words of a band. */
export const bandsFor = (similarity: number): { bands: number; words: number } =>
  similarity < MANY_BANDS_BELOW ? { bands: SIGNATURE_WORDS, words: 1 } : { bands: SIGNATURE_WORDS / 2, words: 2 };

/** The hash functions. They never change, because the choice of duplicates must not depend on a seed. */
const factors = Int32Array.from({ length: HASHES }, (_, index) => mixed(2 * index + 1) | 1);
const offsets = Int32Array.from({ length: HASHES }, (_, index) => mixed(0x5bd1e995 ^ index));
const MOST = 0x7fffffff;

/** What is compared of a dialog. */
export interface Signature {
  /** The whole dialog: the lowest byte of each hash. */
  words: Uint32Array;
  /** The last text, with the four tokens before it: the lowest bit of the first hashes. */
  answer: Uint32Array;
}

/**
The MinHash signatures of a dialog that grows: 112 hashes, the lowest byte of each after mixing.

One byte is enough (b-bit minwise hashing, Li and König 2010): two hashes that differ have equal bytes once in 256, and
eight of them once in 2^64.
*/
export const createSigner = () => {
  const minima = new Int32Array(HASHES).fill(MOST);
  const last = new Int32Array(HASHES);
  const shingler = createShingler();
  /** Lowers minima by the hashes of shingles: function by function, which keeps all but the hashes in registers. */
  const lower = (minima: Int32Array, hashes: Int32Array): void => {
    for (let index = 0; index < HASHES; index++) {
      const factor = factors[index] ?? 0;
      const offset = offsets[index] ?? 0;
      let least = minima[index] ?? 0;
      for (let at = 0; at < hashes.length; at++) {
        const value = (Math.imul(factor, hashes[at] ?? 0) + offset) | 0;
        if (value < least) least = value;
      }
      minima[index] = least;
    }
  };
  return {
    /** Adds a folded text. */
    add: (text: string): void => {
      last.fill(MOST);
      lower(last, shingler.feed(text));
      for (let index = 0; index < HASHES; index++)
        if ((last[index] ?? 0) < (minima[index] ?? 0)) minima[index] = last[index] ?? 0;
    },
    /** Of all texts so far; undefined when they hold neither letters nor digits. */
    signature: (): Signature | undefined => {
      if (shingler.tokens === 0) return undefined;
      const rest = shingler.rest();
      if (rest === undefined) return { words: bytesOf(minima), answer: bitsOf(last) };
      last.fill(MOST);
      lower(last, Int32Array.of(rest));
      return { words: bytesOf(last), answer: bitsOf(last) };
    },
  };
};

const bytesOf = (hashes: Int32Array): Uint32Array => {
  const words = new Uint32Array(SIGNATURE_WORDS);
  for (let index = 0; index < HASHES; index++) {
    const byte = mixed(hashes[index] ?? 0) & 0xff;
    words[index >> 2] = ((words[index >> 2] ?? 0) | (byte << (8 * (index & 3)))) >>> 0;
  }
  return words;
};

const bitsOf = (hashes: Int32Array): Uint32Array => {
  const words = new Uint32Array(ANSWER_WORDS);
  for (let index = 0; index < ANSWER_BITS; index++) {
    const bit = mixed(hashes[index] ?? 0) & 1;
    words[index >> 5] = ((words[index >> 5] ?? 0) | (bit << (index & 31))) >>> 0;
  }
  return words;
};

/** Words of a table, from a place on. */
export interface WordsAt {
  words: Uint32Array;
  at: number;
}

/** How many bytes of two signatures are equal. */
export const equalBytes = (one: WordsAt, other: WordsAt): number => {
  let equal = 0;
  for (let word = 0; word < SIGNATURE_WORDS; word++) {
    const difference = (one.words[one.at + word] ?? 0) ^ (other.words[other.at + word] ?? 0);
    // The highest bit of each byte that is zero (Hacker's Delight, 6-1), then their number.
    const zeros = ~(((difference & 0x7f7f7f7f) + 0x7f7f7f7f) | difference | 0x7f7f7f7f) >>> 7;
    equal += Math.imul(zeros & 0x01010101, 0x01010101) >>> 24;
  }
  return equal;
};

/** The number of equal bytes at a similarity: one in 256 is equal by chance. */
export const leastEqual = (similarity: number): number => Math.ceil(HASHES * (similarity + (1 - similarity) / 256));

/** In how many bits two answers differ. */
export const differentBits = (one: WordsAt, other: WordsAt): number => {
  let different = 0;
  for (let word = 0; word < ANSWER_WORDS; word++)
    different += bitsIn((one.words[one.at + word] ?? 0) ^ (other.words[other.at + word] ?? 0));
  return different;
};

const bitsIn = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** The most different bits at a similarity: of hashes that differ, half have the same bit by chance. */
export const mostDifferent = (similarity: number): number => Math.floor((ANSWER_BITS * (1 - similarity)) / 2);
