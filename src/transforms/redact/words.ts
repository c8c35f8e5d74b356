import { matchesAtLeast } from "./matches.ts";

/** Digits as Chinese speech recognition writes them, also the military ones: 幺 one, 两 two, 洞 zero, 拐 seven, 勾 nine. */
const CHINESE: Record<string, string> = {
  ...numbered("零一二三四五六七八九"),
  ...numbered("〇壹贰叁肆伍陆柒捌玖"),
  ...numbered("○幺貳參肆伍陸拐捌玖"),
  ...numbered("洞幺两叁"),
  兩: "2",
  勾: "9",
  钩: "9",
};

const ENGLISH: Record<string, string> = {
  zero: "0",
  oh: "0",
  o: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  niner: "9",
};

const TIMES: Record<string, number> = { double: 2, triple: 3, treble: 3, quadruple: 4 };

function numbered(characters: string): Record<string, string> {
  return Object.fromEntries([...characters].map((character, index) => [character, String(index)]));
}

/** For character classes. */
export const CHINESE_DIGITS = Object.keys(CHINESE).join("");
/** For alternations; matches whole words only. */
export const ENGLISH_DIGITS = `(?:${Object.keys(ENGLISH).toSorted().toReversed().join("|")})\\b`;
export const ENGLISH_TIMES = Object.keys(TIMES).join("|");

/** The digit that a character or word means. */
export const digitOf = (word: string): string | undefined =>
  /^\d$/.test(word) ? word : (CHINESE[word] ?? ENGLISH[word.toLowerCase()]);

/** How often a digit repeats: 三 in 三个八, `triple` in `triple eight`. */
export const timesOf = (word: string): number => TIMES[word.toLowerCase()] ?? Number(digitOf(word));

const SPOKEN = new RegExp(`[${CHINESE_DIGITS}]|\\b${ENGLISH_DIGITS}`, "gi");

const SPOKEN_OR_WRITTEN = new RegExp(`[\\d${CHINESE_DIGITS}]|\\b${ENGLISH_DIGITS}`, "gi");

/** Writes spoken digits as figures. */
export const writeDigits = (text: string): string => text.replace(SPOKEN, (word) => digitOf(word) ?? word);

/**
Whether a text has at least `least` digits, written or spoken. With fewer than three it cannot contain a number, so this
check makes redaction several times faster.
*/
export const hasDigits = (text: string, least = 3): boolean => matchesAtLeast(SPOKEN_OR_WRITTEN, text, least);
