import type { Spoken } from "./talk.ts";

/** What text becomes when UTF-8 is read as GBK or Latin-1, or uninitialised memory as text. */
const MOJIBAKE = /锟斤拷|锟叫|烫烫|屯屯|[ÃÂ][\u0080-\u00bf]|â€|ï»¿|ï¿½/gu;
/** Replaced, private, unassigned and control characters, and halves of characters. */
const BROKEN = /[\ufffd\p{Co}\p{Cn}\p{Cs}\p{Cc}]/u;
/** Web and mail addresses are no words. */
const ADDRESS = /\b(?:https?:\/\/|www\.)[^\s<>，。]{1,500}|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,200}/giu;
const UNIT = /[a-zà-ÿ'’]+|\p{L}|[^\s\p{P}\p{S}\p{N}\p{M}\p{Cf}]|\ufffd/giu;
const VOWEL = /[aeiouyà-ÿ]/iu;
const CONSONANTS = /[bcdfghjklmnpqrstvwxz]{6}/iu;
const REPEATED = /([a-z])\1{3}/iu;
/** "hmm", "shhh" and abbreviations are shorter or in capitals. */
const LEAST_WORD = 5;

/**
The share of what was said, 0 to 1, that is no language: characters that were lost or read in a wrong encoding, and Latin
words that nobody can pronounce. A Chinese character counts like a Latin word; digits and punctuation do not count.
*/
export const gibberishShare = (spoken: readonly Spoken[]): number => {
  let units = 0;
  let wrong = 0;
  for (const { text } of spoken) {
    const plain = text.replace(ADDRESS, " ").replace(MOJIBAKE, () => {
      units += 1;
      wrong += 1;
      return " ";
    });
    for (const [unit] of plain.matchAll(UNIT)) {
      units += 1;
      if (isWrong(unit)) wrong += 1;
    }
  }
  return units === 0 ? 0 : wrong / units;
};

const isWrong = (unit: string): boolean => {
  if (unit.length < LEAST_WORD) return BROKEN.test(unit);
  const isAbbreviation = unit === unit.toUpperCase();
  return !isAbbreviation && (!VOWEL.test(unit) || CONSONANTS.test(unit) || REPEATED.test(unit));
};
