import { matchesOf } from "./matches.ts";
import type { Finder, Span } from "./span.ts";
import { CHINESE_DIGITS, digitOf, ENGLISH_DIGITS } from "./words.ts";

const CUE =
  /(?:微信|威信|薇信|(?<![a-z])(?:we\s?chat|v\s?信|[vw]x)(?![a-z]))(?:的)?\s?(?:账号|帐号|号码?|id\b|account\b|handle\b|name\b|number\b)?/gi;
const SAID =
  /^(?:[\s，,：:]|是|就是|为|叫|搜|加|嗯|呃|那个|我的?|is\b|it'?s\b|:|just\b|search\b|add\b|me\b|at\b|under\b|as\b|u[mh]\b|handle\b){0,8}/i;
/** A letter, a digit, or a sign, written or spoken; a WeChat id begins with a letter or `_`. */
const SIGN = new RegExp(
  `\\s?(?:(?<join>_|-|下划线|中划线|减号|横?杠|\\b(?:underscore|dash|hyphen)\\b)|(?<digit>\\d|[${CHINESE_DIGITS}]|\\b${ENGLISH_DIGITS})|(?<letters>[a-z]+))`,
  "giy",
);
const JOINS: Record<string, string> = { 下划线: "_", underscore: "_", _: "_" };
/** Words that are no ids. */
const NO_ID =
  /^(?:pay|payment|mini|program|app|work|moments|group|official|wechat|weixin|scan|code|qr|android|iphone|account|not|is|the|my|your|and|or|to|for|login|log|message|messages|id|number|video|call|support|please|thanks|required|okay|update|version|doesn|isn|was|has|can|only|bill|transfer|refund|store)$/i;
const LONGEST = 20;

/** Finds WeChat ids after a word for WeChat. A phone number there is a phone number. */
export const wechats: Finder = (text) => {
  const spans: Span[] = [];
  for (const { 0: cue, index } of matchesOf(CUE, text)) {
    if (/公众$|企业$|小程序$/.test(text.slice(Math.max(0, index - 3), index))) continue;
    const window = text.slice(index + cue.length, index + cue.length + 20);
    const said = SAID.exec(window)?.[0] ?? "";
    const start = index + cue.length + said.length;
    const announced = /[号\u4fe1]$|id$/i.test(cue) && /号|id|是|为|叫|[：:]/i.test(cue + said);
    const found = idAt(text, start, announced);
    if (found !== undefined) spans.push({ start, end: found.end, name: "wechat", value: found.value });
  }
  return spans;
};

/** @param announced words alone are an id: 微信号是zhangwei */
const idAt = (text: string, start: number, announced: boolean): { end: number; value: string } | undefined => {
  let [value, end, words, marks] = ["", start, 0, 0];
  SIGN.lastIndex = start;
  for (let sign = SIGN.exec(text); sign !== null && value.length < LONGEST; sign = SIGN.exec(text)) {
    const { join, digit, letters } = sign.groups ?? {};
    const spaced = end > start && /^\s/.test(sign[0]);
    if (letters !== undefined) {
      // Letters are spelled one by one, or stand together: two whole words are a sentence.
      if (letters.length > LONGEST || NO_ID.test(letters)) break;
      if (spaced && letters.length > 1 && words > 0 && !/[_-]$/.test(value)) break;
      if (letters.length > 1) words += 1;
    } else marks += 1;
    value += join !== undefined ? (JOINS[join.toLowerCase()] ?? "-") : digit !== undefined ? digitOf(digit) : letters;
    end = sign.index + sign[0].length;
  }
  value = value.toLowerCase();
  const spelled = words === 0;
  const isId = /^[a-z_][a-z0-9_-]{4,19}$/.test(value) && (marks > 0 || spelled || (announced && value.length >= 6));
  return isId ? { end, value } : undefined;
};
