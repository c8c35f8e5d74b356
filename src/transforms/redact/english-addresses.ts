import { matchesOf } from "./matches.ts";
import type { Finder } from "./span.ts";
import { ENGLISH_DIGITS } from "./words.ts";

const TENS =
  "(?:ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)\\b";
const SPOKEN = `(?:(?:${ENGLISH_DIGITS}|${TENS}|and\\b)[\\s-]?){1,8}`;
const NUMBER = `(?:\\d{1,5}[a-z]?\\b|${SPOKEN})`;
const WORD = "(?:[A-Za-z][A-Za-z'’.-]{0,19}|\\d{1,3}(?:st|nd|rd|th))";
const STREET =
  "(?:street|avenue|road|boulevard|lane|drive|court|terrace|crescent|parkway|highway|square|close|place|way|st|ave|rd|blvd|ln|dr|ct|pkwy|hwy|sq|pl)";
const UNIT = `(?:(?:apartment|apt|unit|suite|ste|flat|room|rm|floor|building|bldg)\\.?\\s(?:number\\s)?|#\\s?)(?:(?:\\d{1,5}|[a-z]\\b|${ENGLISH_DIGITS}|${TENS})[\\s-]?){1,6}`;
const ADDRESS = new RegExp(
  `(?<![\\w$€£.,-])(?<number>${NUMBER})\\s?(?<words>(?:${WORD}\\s){1,4}?)(?<street>${STREET})\\b\\.?` +
    `(?<unit>,?\\s${UNIT})?`,
  "gi",
);
/** What stands between a number and a word such as `drive` in other sentences. */
const OTHER =
  /\b(?:minutes?|mins?|hours?|days?|weeks?|months?|years?|miles?|blocks?|km|kilomet(?:er|re)s?|meters?|feet|percent|dollars?|bucks|people|of|to|the|a|an|on|in|at|is|are|was|it|by|for|from|or|long|short|way|ways|gb|tb|mb|usb|hard|flash|test|other|each|per|items?|orders?|times?|more|this|that|your|my|our|and|can|please|take|down|up|per|lane|cars?|trucks?|star|bedroom|night|nights|only|best|same|any|no|i|we|you|they|he|she|there|off|out|along)\b/i;
const SHORT = /^(?:st|dr|ct|pl|sq|ln|rd)$/i;
const VAGUE = /^(?:drive|court|square|close|place|way)$/i;
/** City, state and postal code after a street. */
const CITY = /^(?:,\s[A-Z][a-z]+(?:\s[A-Z][a-z]+){0,2})?(?:,?\s[A-Z]{2}(?![A-Za-z]))?(?:,?\s\d{5}(?:-\d{4})?(?!\d))?/;
const LONGEST_CITY = 80;
const HINT = new RegExp(`\\b${STREET}\\b`, "i");

/** Finds a number, a street's name and a word for street, with unit, city and postal code. */
export const englishAddresses: Finder = (text) => {
  if (!HINT.test(text)) return [];
  return matchesOf(ADDRESS, text).flatMap(({ 0: source, index, groups = {} }) => {
    const { number = "", words = "", street = "" } = groups;
    if (OTHER.test(words) || /^\s?and\b/i.test(number)) return [];
    const capitals = /[A-Z]/.test(words[0] ?? "");
    if ((SHORT.test(street) && !capitals) || (VAGUE.test(street) && !capitals && words.trim().includes(" "))) return [];
    const after = index + source.length;
    const found = `${source}${CITY.exec(text.slice(after, after + LONGEST_CITY))?.[0] ?? ""}`.trimEnd();
    return [
      { start: index, end: index + found.length, name: "address", value: found.toLowerCase().replace(/[\s,.]+/g, " ") },
    ];
  });
};
