import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { cleanText, withoutUsers } from "./clean-text.ts";

/** Values below this depth are dropped, so that nothing overflows the stack. No answer of the service is that deep. */
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
    // Rewritten only when something was removed, so that numbers keep their spelling.
    const [before, after] = [JSON.stringify(inner), JSON.stringify(clean(inner, depth + 1))];
    return before === after ? text : after;
  } catch {
    // Nested so deeply that JSON.stringify overflows the stack.
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
  // fromEntries keeps a key named __proto__; an assignment would not.
  return Object.fromEntries(cleaned);
};

/**
A copy of the service's object without secrets, safe to store, log and print.

Every AuthToken is dropped, at any depth, also inside JSON text. CallLogUrl keeps only origin and path. Every other
address, with or without scheme, also percent-encoded, loses user and password, and loses a query or fragment that holds
a secret. Everything else stays unchanged.
*/
export const cleanMeta = (wire: JsonObject): JsonObject => cleanObject(wire, 0);

/** Longest plain value that `leastMeta` keeps, in characters. */
const MAX_PLAIN_LENGTH = 1000;

/** `cleanMeta` of only the short plain values: for an object that is too deep for it. */
export const leastMeta = (wire: JsonObject): JsonObject =>
  cleanMeta(
    Object.fromEntries(
      Object.entries(wire).filter(([, value]) => typeof value !== "object" && String(value).length <= MAX_PLAIN_LENGTH),
    ),
  );
