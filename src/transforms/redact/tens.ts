import { digitOf } from "./words.ts";

const UNIT = "(?:one|two|three|four|five|six|seven|eight|nine)\\b";
const TEENS = [
  "ten",
  "eleven",
  "twelve",
  "thirteen",
  "fourteen",
  "fifteen",
  "sixteen",
  "seventeen",
  "eighteen",
  "nineteen",
];
const TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const BELOW_HUNDRED = `(?:(?:${TENS.join("|")})\\b(?:[\\s-]${UNIT})?|(?:${TEENS.join("|")})\\b)`;
const HUNDRED = "(?<hundreds>one|two|a)\\s(?:hundred\\b(?:\\sand\\b)?)?";

/** A quantity up to 299 with a word for tens or hundreds: "one ninety two", "two hundred and five", "eleven". */
export const ENGLISH_TENS = `(?:(?:${HUNDRED.replace("?<hundreds>", "?:")}\\s?)?${BELOW_HUNDRED}|(?:one|two|a)\\shundred\\b(?:(?:\\sand)?\\s${UNIT})?)`;
/** The same in Chinese: 一百九十二, 二百五十五, 一百零八, 十一. */
export const CHINESE_TENS =
  "(?:[一二两]百(?:零[一二三四五六七八九]|[一二三四五六七八九]?十[一二三四五六七八九]?)?|[二三四五六七八九]?十[一二三四五六七八九]?|一十[一二三四五六七八九]?)";

const CHINESE = /^(?:([一二两])百)?零?(?:([一二三四五六七八九]?)(十))?([一二三四五六七八九]?)$/;
const ENGLISH = new RegExp(
  `^(?:(?<hundreds>one|two|a)\\s(?:(?<said>hundred)\\b(?:\\sand\\b)?\\s?)?)?(?:(?<tens>${TENS.join("|")})\\b[\\s-]?|(?<teen>${TEENS.join("|")})\\b)?(?<unit>${UNIT})?$`,
  "i",
);

/** The figures of a quantity up to 299; undefined if it is spoken digit by digit. */
export const tensOf = (words: string): string | undefined => chinese(words) ?? english(words.toLowerCase());

const chinese = (words: string): string | undefined => {
  if (!/[十百]/.test(words)) return undefined;
  const [, hundreds = "", tens = "", ten, unit = ""] = CHINESE.exec(words) ?? [];
  const figure = (word: string, otherwise: number): number => (word === "" ? otherwise : Number(digitOf(word)));
  return String(figure(hundreds, 0) * 100 + (ten === undefined ? 0 : figure(tens, 1) * 10) + figure(unit, 0));
};

const english = (words: string): string | undefined => {
  const { hundreds, said, tens, teen, unit } = ENGLISH.exec(words)?.groups ?? {};
  if (said === undefined && tens === undefined && teen === undefined) return undefined;
  const hundred = hundreds === undefined ? 0 : hundreds === "two" ? 200 : 100;
  const below =
    teen === undefined ? (TENS.indexOf(tens ?? "") + 2) * (tens === undefined ? 0 : 10) : TEENS.indexOf(teen) + 10;
  return String(hundred + below + (unit === undefined ? 0 : Number(digitOf(unit))));
};

/** A quantity beside the word between the parts of an address; rarer than digits, so it is looked for first. */
const SPOKEN_TENS =
  /[十百][一二三四五六七八九]?\s?点|点\s?[一二两]?[十百]|(?:t(?:y|een|en)|hundred|eleven|twelve)\b(?: and)?(?: \w{3,5})? (?:dot|point)\b/i;
export const hasTens = (text: string): boolean => SPOKEN_TENS.test(text);
