import { labelledOther } from "./candidate.ts";
import { BARGE_IN } from "./fold.ts";
import { matchesOf } from "./matches.ts";
import type { Finder } from "./span.ts";
import { CHINESE_DIGITS, ENGLISH_DIGITS, writeDigits } from "./words.ts";

/** Pauses of a speaker. Bounded, so that the patterns take linear time. */
const FILLERS = `(?:[\\s,，、。…·•.${BARGE_IN}-]|[呃嗯额啊哦]|那个|就是|\\bu[mh]+\\b){0,6}`;
const FILLER = /呃|嗯|额|啊|哦|那个|就是|\bu[mh]+\b/gi;
const DIGIT = `(?:[0-9${CHINESE_DIGITS}]|\\b${ENGLISH_DIGITS})`;
/** Digits with separators between them. */
const digits = (least: number, most: number): string => `${DIGIT}(?:${FILLERS}${DIGIT}){${least - 1},${most - 1}}`;
const LABEL = "(?:护照|通行证|回乡证|台胞证|旅行证|\\bpassport|\\bpermit)";
const HAS_LABEL = new RegExp(LABEL, "i");
const HAS_LETTER = /[EG]/;
const BETWEEN = "(?:号码|号|number|no\\.?|is|是|为|[:：#]|[\\s,，]|[呃嗯]|\\bu[mh]+\\b){0,6}";
const LABELLED = new RegExp(`${LABEL}${BETWEEN}(?<paper>(?:[a-z]${FILLERS}){0,2}${digits(7, 10)})(?![a-z0-9])`, "gi");
/** Chinese passports have a known shape; other passports and permits are found only after their label. */
const CHINESE_PASSPORT = new RegExp(
  `(?<![A-Za-z0-9_-])(?<paper>(?:[EG]${FILLERS}${digits(8, 8)}|E${FILLERS}[A-HJ-NP-Z]${FILLERS}${digits(7, 7)}))(?![A-Za-z0-9])`,
  "g",
);

/** Finds passports and permits for Hong Kong, Macao and Taiwan. */
export const passports: Finder = (text) =>
  [...(HAS_LABEL.test(text) ? [LABELLED] : []), ...(HAS_LETTER.test(text) ? [CHINESE_PASSPORT] : [])].flatMap(
    (pattern) =>
      matchesOf(pattern, text).flatMap(({ 0: source, index, groups }) => {
        const paper = (groups?.paper ?? "").trim();
        const start = index + source.lastIndexOf(paper);
        if (labelledOther({ before: text.slice(Math.max(0, start - 20), start) })) return [];
        return [{ start, end: start + paper.length, name: "passport", value: plain(paper) }];
      }),
  );

const plain = (text: string): string =>
  writeDigits(text.replace(FILLER, ""))
    .replace(/[^\p{L}\d]/gu, "")
    .toUpperCase();

const PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]";
const SIGN = `[a-hj-np-z0-9${CHINESE_DIGITS}]`;
const FIGURE = `[0-9${CHINESE_DIGITS}]`;
const spaced = (...signs: string[]): string => signs.join(FILLERS);
const PLATE = new RegExp(
  `${PROVINCE}${FILLERS}[a-hj-np-z]${FILLERS}(?<serial>${[
    // Electric cars have six characters, with a letter at the start or the end.
    spaced("[a-hjk]", SIGN, FIGURE, FIGURE, FIGURE, FIGURE),
    spaced(FIGURE, FIGURE, FIGURE, FIGURE, FIGURE, "[a-hjk]"),
    spaced(SIGN, SIGN, SIGN, SIGN, `(?:${SIGN}|[挂学警港澳使领])`),
  ].join("|")})(?![a-z0-9])`,
  "gi",
);

const HAS_PROVINCE = new RegExp(`${PROVINCE}${FILLERS}[a-hj-np-z]`, "i");

/** Finds Chinese number plates. At least three digits, so that 新 before an English word does not match. */
export const plates: Finder = (text) =>
  (HAS_PROVINCE.test(text) ? matchesOf(PLATE, text) : []).flatMap(({ 0: source, index: start, groups }) => {
    const figures = writeDigits(groups?.serial ?? "").match(/\d/g) ?? [];
    return figures.length < 3 ? [] : [{ start, end: start + source.length, name: "plate", value: plain(source) }];
  });
