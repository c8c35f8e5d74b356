import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { cleanText, withoutUsers } from "./clean-text.ts";

/** Deeper than any answer of the service; what lies below is dropped, so that nothing overflows the stack. */
const MAX_DEPTH = 64;

const parseIfJson = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

const cleanString = (text: string, depth: number): string => {
  const inner = parseIfJson(text);
  if (inner === undefined) return cleanText(text);
  try {
    // Rewritten only when something was found: the integrator's own spelling of a number is kept.
    const [before, after] = [JSON.stringify(inner), JSON.stringify(clean(inner, depth + 1))];
    return before === after ? text : after;
  } catch {
    // Nested so deep that writing it overflows the stack.
    return cleanText(text);
  }
};

const placeOf = (link: string): string => cleanText(withoutUsers(link.split(/[?#]/, 1)[0] ?? ""));

const TOKEN_KEY = /^auth[_-]?token$/i;

const clean = (value: Json, depth: number): Json => {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === "string") return cleanString(value, depth);
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return isObject(value) ? cleanObject(value, depth) : value;
};

const cleanObject = (value: JsonObject, depth: number): JsonObject => {
  const cleaned: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (TOKEN_KEY.test(key)) continue;
    const isLink = typeof item === "string" && /^calllogurl$/i.test(key);
    cleaned.push([cleanText(key), isLink ? placeOf(item) : clean(item, depth + 1)]);
  }
  // fromEntries, not assignment: a key named __proto__ stays a key.
  return Object.fromEntries(cleaned);
};

/**
A wire object without its secrets, fit to store, log and print; the argument is left alone.

Every AuthToken is dropped, at any depth and also inside values that are JSON text. CallLogUrl keeps origin and path.
Any other address, with a scheme or without, also percent-encoded, loses user and password, and its query or fragment
when that signs or opens something. Everything else stays as it is.
*/
export const cleanMeta = (wire: JsonObject): JsonObject => cleanObject(wire, 0);

/** In characters. */
const MAX_PLAIN_LENGTH = 1000;

/** `cleanMeta` of the short plain values alone: for an object that it cannot take. */
export const leastMeta = (wire: JsonObject): JsonObject =>
  cleanMeta(
    Object.fromEntries(
      Object.entries(wire).filter(([, value]) => typeof value !== "object" && String(value).length <= MAX_PLAIN_LENGTH),
    ),
  );
