import { wellFormed } from "../core/text.ts";
import type { JsonObject } from "../core/transcript.ts";

// Each function reads one kind of value from foreign JSON, or returns undefined.

/** The deepest nesting of unknown values: less than in `wellFormed`, because a transcript adds levels around them. */
export const DEPTH = 200;

/** Text, or a number as text; undefined for the empty string. */
export const textual = (value: unknown): string | undefined => {
  if (typeof value === "string") return value === "" ? undefined : value.toWellFormed();
  return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
};

/** A finite number, or decimal text of one. */
export const numeric = (value: unknown): number | undefined => {
  const decimal = typeof value === "string" && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value);
  const number = decimal ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};

/** Milliseconds since 1970 of an ISO 8601 time. A time without a zone is UTC on every machine. */
export const instant = (value: unknown): number | undefined => {
  if (typeof value !== "string") return undefined;
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?$/.exec(value);
  const time = match ? Date.parse(`${match[1]}T${match[2]}${match[3] ?? "Z"}`) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};

/** Milliseconds since 1970 of an ISO 8601 time, or of a number of milliseconds or seconds, from 2000 to 2100. */
export const moment = (value: unknown): number | undefined => {
  const number = numeric(value);
  if (number === undefined) return instant(value);
  const time = Math.floor(number < 4_102_444_800 ? number * 1000 : number);
  return time >= 946_684_800_000 && time < 4_102_444_800_000 ? time : undefined;
};

/**
ISO 8601 UTC, cut to milliseconds; undefined outside the years 0 to 9999.

It is rounded to microseconds first, the service's precision; otherwise x.45 seconds becomes x.449.
*/
export const iso = (ms: number): string | undefined => {
  const wholeMs = Math.floor(Math.round(ms * 1000) / 1000);
  if (!(wholeMs >= -62_167_219_200_000 && wholeMs < 253_402_300_800_000)) return undefined;
  const day = Math.floor(wholeMs / DAY_MS);
  // Only the day uses Date, and it is usually the same as before: this runs once per turn.
  if (day !== lastDay) {
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 11);
    lastDay = day;
  }
  const time = wholeMs - day * DAY_MS;
  const second = Math.floor(time / 1000);
  const minute = Math.floor(second / 60);
  const hour = Math.floor(minute / 60);
  return `${lastDate}${TWO_DIGITS[hour]}:${TWO_DIGITS[minute - hour * 60]}:${TWO_DIGITS[second - minute * 60]}.${THREE_DIGITS[time - second * 1000]}Z`;
};

const DAY_MS = 86_400_000;
const paddedNumbers = (length: number, digits: number): readonly string[] =>
  Array.from({ length }, (_, number) => String(number).padStart(digits, "0"));
const TWO_DIGITS = paddedNumbers(60, 2);
const THREE_DIGITS = paddedNumbers(1000, 3);
let lastDay = Number.NaN;
let lastDate = "";

/**
The unknown fields of `value`, well-formed; undefined when there are none.

`known` has an entry for each known field. An entry that is undefined had an unusable value, which is kept here.
*/
export const extraOf = (
  value: JsonObject,
  known: Record<string, unknown>,
  error: (reason: string) => Error,
): JsonObject | undefined => {
  const isKnown = (key: string): boolean => {
    const blank = value[key] === null || value[key] === "";
    return Object.hasOwn(known, key) && (known[key] !== undefined || blank);
  };
  const unknownKeys = Object.keys(value).filter((key) => !isKnown(key));
  if (unknownKeys.length === 0) return undefined;
  try {
    return wellFormed(Object.fromEntries(unknownKeys.map((key) => [key, value[key] ?? null])), DEPTH) as JsonObject;
  } catch {
    throw error("nested too deep");
  }
};
