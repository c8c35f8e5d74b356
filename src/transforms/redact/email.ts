import { matchesOf } from "./matches.ts";
import type { Finder, Span } from "./span.ts";
import { COMPOUND, isClear, SURNAMES } from "./surnames.ts";
import { CHINESE_DIGITS, digitOf, ENGLISH_DIGITS, writeDigits } from "./words.ts";

/** The sign between name and domain, written or spoken. */
const SIGN = /@|[艾爱]特|圈\s?a(?![a-z])|\bat\b/gi;

const DOT = "(?:\\.|\\s*[点點]\\s*|\\s+dot\\s+)";
const LABEL = `(?:[a-z0-9][a-z0-9-]{0,62}|[${CHINESE_DIGITS}]{2,5}|(?:${ENGLISH_DIGITS}\\s*){2,5}|[a-z](?:\\s[a-z]){1,5})`;
const DOMAIN = new RegExp(`^\\s*(${LABEL}(?:${DOT}${LABEL}){0,4}${DOT}([a-z]{2,24}))(?![a-z0-9-])`, "i");
const LONGEST_DOMAIN = 120;
const TOP =
  /^(?:com|cn|net|org|edu|gov|io|co|ai|me|hk|tw|uk|us|de|fr|jp|info|biz|cc|top|vip|xyz|dev|app|tech|cloud)\b/i;
/** Providers with which "anna at gmail dot com" is an address without further signs. */
const PROVIDER =
  /^(?:gmail|outlook|hotmail|yahoo|icloud|qq|foxmail|163|126|139|189|sina|sohu|aliyun|yeah|proton(?:mail)?|live|aol|msn)\b/i;

const ROLE = /^(?:info|sales|support|service|contact|admin|office|help|hello|team|hr|billing|orders)$/i;
const CHARACTER = /[a-z0-9._%+'-]/i;
const LONGEST_NAME = 64;
const TOKEN = new RegExp(
  `(?<join>[._+-]|下划线|中划线|横杠|杠|减号|加号|[点點]|\\b(?:dot|underscore|dash|hyphen|plus)\\b)` +
    `|(?<short>[${CHINESE_DIGITS}]|\\b${ENGLISH_DIGITS}|\\d+(?![a-z])|(?<![a-z0-9'’])[a-z](?![a-z0-9]))|(?<word>[a-z0-9]+)|(?<han>[\\u4e00-\\u9fff])|(?<space>\\s+)|(?<other>[^])`,
  "gi",
);
const JOINS: Record<string, string> = {
  下划线: "_",
  underscore: "_",
  点: ".",
  點: ".",
  dot: ".",
  加号: "+",
  plus: "+",
};
/** Characters before a Chinese name: 是张三艾特…, 发给李四艾特…. */
const NO_HAN = /[是为叫到给箱址件我你您他她它的了就用发写填嗯呃啊哦吧呢请说念和跟成]/;
const LONGEST_HAN = 4;
const PERSON = new RegExp(`(?:${COMPOUND}|[${SURNAMES}])[\\u4e00-\\u9fff]{1,2}$`);
/** Words before "at" that are not the name of an address. */
const STOP =
  /^(?:s|i[st]|its|be|to|on|as|are|was|and|so|u[mh]|yes|yeah|ok|okay|sure|m[ey]|us|your?|them|our|mail|email|address|thats?|the|here|there|look|find|visit|site|online|available|page|website|just|only)$/i;

/** Finds written and spoken addresses: `li@qq.com`, `li艾特qq点com`, `john dot smith at gmail dot com`. */
export const emails: Finder = (text) => {
  const spans: Span[] = [];
  let from = 0;
  for (const { 0: sign, index } of matchesOf(SIGN, text)) {
    const after = index + sign.length;
    const domain = DOMAIN.exec(text.slice(after, after + LONGEST_DOMAIN));
    if (domain === null) continue;
    const [whole, host = "", top = ""] = domain;
    const spoken = sign !== "@" || /\s/.test(text[index - 1] ?? "") || /^\s/.test(whole);
    if ((spoken || /[点點\s]/.test(host)) && !TOP.test(top)) continue;
    const name =
      /\w/.test(text[index - 1] ?? "") && sign === "@" ? plainName(text, from, index) : spokenName(text, from, index);
    if (name === undefined) continue;
    if (
      /^at$/i.test(sign) &&
      !name.isSure &&
      !PROVIDER.test(writeDigits(host)) &&
      !/mail/i.test(text.slice(Math.max(0, index - 40), index))
    )
      continue;
    from = after + whole.length;
    spans.push({ start: name.start, end: from, name: "email", value: `${name.value}@${hostOf(host)}`.toLowerCase() });
  }
  return spans;
};

const hostOf = (host: string): string => writeDigits(host.replace(/[点點]|\bdot\b/gi, ".")).replace(/\s/g, "");

interface Name {
  start: number;
  value: string;
  /** Not just one plain word. */
  isSure: boolean;
}

const plainName = (text: string, from: number, end: number): Name | undefined => {
  let start = end;
  while (start > from && end - start < LONGEST_NAME && CHARACTER.test(text[start - 1] ?? "")) start -= 1;
  while (start < end && /[.'%+-]/.test(text[start] ?? "")) start += 1;
  const before = spokenName(text, from, end);
  // 一二三a@qq.com: spoken digits before letters belong to the name too.
  if (before !== undefined && before.start < start && !/\s/.test(text.slice(before.start, start))) return before;
  return start === end ? undefined : { start, value: text.slice(start, end), isSure: true };
};

/**
The name in Chinese characters that ends at a place; empty if there is none.

@param digits digits follow: a Chinese one may belong to the name, as in 张三
*/
const hanName = (text: string, from: number, end: number, digits: boolean): string => {
  let start = end;
  while (start > from && /[\u4e00-\u9fff]/.test(text[start - 1] ?? "") && !NO_HAN.test(text[start - 1] ?? ""))
    start -= 1;
  const whole = text.slice(start, end);
  if (whole.length <= LONGEST_HAN && !digits) return whole;
  const person = PERSON.exec(whole)?.[0];
  if (person !== undefined || !digits) return person ?? "";
  return isClear(whole.at(-1) ?? " ") ? whole.slice(-1) : "";
};

/** Reads a name backwards from its sign. Words must be joined by signs; single letters and digits may have spaces. */
const spokenName = (text: string, from: number, end: number): Name | undefined => {
  const window = Math.max(from, end - LONGEST_NAME);
  const tokens = [...text.slice(window, end).matchAll(TOKEN)].map(({ 0: source, index, groups = {} }) => ({
    source,
    start: window + index,
    ...groups,
  })) as {
    source: string;
    start: number;
    join?: string;
    short?: string;
    word?: string;
    han?: string;
    space?: string;
  }[];
  const parts: string[] = [];
  let start: number | undefined;
  let position = tokens.length - 1;
  let following: "none" | "join" | "short" | "word" = "none";
  for (; position >= 0; position -= 1) {
    const spaced = tokens[position]?.space !== undefined;
    if (spaced) position -= 1;
    const token = tokens[position];
    if (token === undefined) break;
    const { source, short, word, han, join } = token;
    if (join !== undefined) {
      if (following === "none" || following === "join") break;
      const previous = tokens[position - 1]?.space === undefined ? tokens[position - 1] : tokens[position - 2];
      if (previous?.short === undefined && previous?.word === undefined) break;
      parts.unshift(JOINS[source.toLowerCase()] ?? (source.length === 1 && /[._+-]/.test(source) ? source : "-"));
      following = "join";
    } else if (short !== undefined || word !== undefined) {
      const across = spaced && (following === "short" || following === "word");
      if (across && (following === "word" || (word !== undefined && STOP.test(word)))) break;
      parts.unshift(digitOf(source) ?? source);
      start = token.start;
      if (across && word !== undefined) break;
      following = short !== undefined ? "short" : "word";
    } else {
      // A name in Chinese characters stands before the sign, a join, or digits; letters have none before them.
      const letters = spaced || /^[a-z]/i.test(parts[0] ?? "");
      const person = han === undefined || letters ? "" : hanName(text, window, token.start + 1, following === "short");
      if (person !== "") {
        parts.unshift(person);
        start = token.start + 1 - person.length;
      }
      break;
    }
  }
  if (start === undefined) return undefined;
  const value = parts.join("");
  return STOP.test(value)
    ? undefined
    : { start, value, isSure: parts.length > 1 || /\d/.test(value) || ROLE.test(value) };
};
