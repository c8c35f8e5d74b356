import { labelledOther } from "./candidate.ts";
import { matchesAtLeast, matchesOf } from "./matches.ts";
import type { Finder, Span } from "./span.ts";
import { CHINESE_TENS, ENGLISH_TENS, tensOf } from "./tens.ts";
import { CHINESE_DIGITS, ENGLISH_DIGITS, writeDigits } from "./words.ts";

const CHARACTERS = "[\\w\\-.~:/?#\\[\\]@!$&()*+,;=%]";
const TOP = "(?:com|net|org|edu|gov|cn|io|co|ai|app|dev|top|xyz|hk|tw|uk|us|me|cc|info|vip|shop|site|tech|cloud)";
// A label cannot start inside another label and has a bounded length, so matching takes linear time.
const URLS = new RegExp(
  [
    `\\b(?:https?|ftp|wss?)://${CHARACTERS}+`,
    `(?<![\\w@.-])(?:[a-z0-9][a-z0-9-]{0,62}\\.)+${TOP}(?![\\w@-]|\\.\\w)(?::\\d{1,5})?(?:[/?#]${CHARACTERS}*)?`,
    "\\bwww(?:(?:\\.|\\s*点\\s*|\\s+dot\\s+)[a-z0-9-]{1,63}){2,5}",
  ].join("|"),
  "gi",
);
/** Every link has one of these; most texts have none. */
const HAS_URL = /[a-z0-9-]\.[a-z]|:\/\/|www/i;
/** Signs that end a sentence and do not belong to a link. */
const TRAILING = ".,;:!?)]";

/** Finds links with a scheme, and host names with a well-known ending: `example.com/a`, `www点example点com`. */
export const urls: Finder = (text) =>
  !HAS_URL.test(text)
    ? []
    : matchesOf(URLS, text).map(({ 0: source, index: start }) => {
        let length = source.length;
        while (TRAILING.includes(source[length - 1] ?? " ")) length -= 1;
        const value = source
          .slice(0, length)
          .replace(/\s*点\s*|\s+dot\s+/gi, ".")
          .toLowerCase();
        return { start, end: start + length, name: "url", value };
      });

const OCTET = `(?:\\d{1,3}|${CHINESE_TENS}|[${CHINESE_DIGITS}]{1,3}|${ENGLISH_TENS}|(?:${ENGLISH_DIGITS}\\s?){1,3})`;
const QUAD = new RegExp(
  `(?<![\\w.\\0十百千]|[\\d${CHINESE_DIGITS}]点)${OCTET}(?:(?:\\.|\\s*点\\s*|\\s*\\b(?:dot|point)\\s+)${OCTET}){3}(?![\\w\\0]|[.点][\\d\\0])`,
  "gi",
);
const HEXTETS = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi;
/** Words before four numbers that are a version, not an address. */
const VERSION = /(?:版本|固件|\b(?:v|ver|version|firmware|build|release))(?:号|\s|是|is|[:：]|v)*$/i;

/** Finds IPv4 addresses, also spoken ones, unless a word before says that it is a version; and IPv6 addresses. */
export const ips: Finder = (text) => [
  ...(matchesAtLeast(DOTS, text, 3) ? find(text, QUAD, quadOf) : []),
  ...(COLONS.test(text) ? find(text, HEXTETS, hextetsOf) : []),
];
const DOTS = /[.点]|dot|point/gi;
const COLONS = /:[0-9a-f]{0,4}:/i;

const find = (text: string, pattern: RegExp, reading: (source: string) => string | undefined): Span[] =>
  matchesOf(pattern, text).flatMap(({ 0: source, index: start }) => {
    const value = reading(source);
    const before = text.slice(Math.max(0, start - 20), start);
    const other = value === undefined || VERSION.test(before) || labelledOther({ before });
    return other ? [] : [{ start, end: start + source.trimEnd().length, name: "ip", value }];
  });

const quadOf = (source: string): string | undefined => {
  const octets = source
    .replace(/点|\b(?:dot|point)\b/gi, ".")
    .split(".")
    .map((octet) => tensOf(octet.trim()) ?? writeDigits(octet).replace(/\s/g, ""));
  return octets.every((octet) => octet.length <= 3 && Number(octet) <= 255) ? octets.map(Number).join(".") : undefined;
};

/** Uses URL to parse IPv6 strictly. An address needs a digit, because `a::b` is more often code. */
const hextetsOf = (source: string): string | undefined =>
  /\d/.test(source) && source.length > 3 && URL.canParse(`http://[${source}]/`)
    ? new URL(`http://[${source}]/`).hostname
    : undefined;
