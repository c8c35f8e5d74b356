import { eachShingle, mixed } from "./shingles.ts";

export const BANDS = 14;
/** Hashes in a band. */
export const ROWS = 8;
const HASHES = BANDS * ROWS;
/** A hash is kept as one byte, so a band is two words of 32 bits. */
export const BAND_WORDS = ROWS / 4;
export const SIGNATURE_WORDS = HASHES / 4;

/** The least Jaccard similarity of duplicates, estimated from their signatures. */
export const SIMILARITY = 0.7;
/** The number of equal bytes for this similarity: one in 256 is equal by chance. */
const LEAST_EQUAL = Math.ceil(HASHES * (SIMILARITY + (1 - SIMILARITY) / 256));

/** The hash functions. They never change, because the choice of duplicates must not depend on a seed. */
const factors = Int32Array.from({ length: HASHES }, (_, index) => mixed(2 * index + 1) | 1);
const offsets = Int32Array.from({ length: HASHES }, (_, index) => mixed(0x5bd1e995 ^ index));
const minima = new Int32Array(HASHES);

/**
The MinHash signature of a folded text: 112 hashes in 14 bands of 8, the lowest byte of each after mixing, in
`SIGNATURE_WORDS` words. Undefined when the text holds neither letters nor digits.

One byte is enough (b-bit minwise hashing, Li and König 2010): two hashes that differ have equal bytes once in 256, and
eight of them once in 2^64.
*/
export const signature = (text: string): Uint32Array | undefined => {
  minima.fill(0x7fffffff);
  const shingles = eachShingle(text, (hash) => {
    for (let index = 0; index < HASHES; index++) {
      const value = (Math.imul(factors[index] ?? 0, hash) + (offsets[index] ?? 0)) | 0;
      if (value < (minima[index] ?? 0)) minima[index] = value;
    }
  });
  if (shingles === 0) return undefined;
  const words = new Uint32Array(SIGNATURE_WORDS);
  for (let index = 0; index < HASHES; index++) {
    const byte = mixed(minima[index] ?? 0) & 0xff;
    words[index >> 2] = ((words[index >> 2] ?? 0) | (byte << (8 * (index & 3)))) >>> 0;
  }
  return words;
};

/** Whether the signatures at these positions belong to texts with at least `SIMILARITY`. */
export const isAlike = (one: Uint32Array, at: number, other: Uint32Array, from: number): boolean => {
  let equal = 0;
  for (let word = 0; word < SIGNATURE_WORDS; word++) {
    const difference = (one[at + word] ?? 0) ^ (other[from + word] ?? 0);
    // The highest bit of each byte that is zero (Hacker's Delight, 6-1), then their number.
    const zeros = ~(((difference & 0x7f7f7f7f) + 0x7f7f7f7f) | difference | 0x7f7f7f7f) >>> 7;
    equal += Math.imul(zeros & 0x01010101, 0x01010101) >>> 24;
  }
  return equal >= LEAST_EQUAL;
};
