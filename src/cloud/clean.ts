import { isObject, type Json, type JsonObject } from "../core/transcript.ts";

/** Deeper than any answer of the service; what lies below is dropped, so that nothing overflows the stack. */
const MAX_DEPTH = 64;

const ADDRESS = /https?:\/\/[^\s"'<>\\]+/gi;
/** Names of query parameters that sign or open something, also when the address sits encoded in another one. */
const SIGNED =
  /(?:[?&;]|%26|%3F)(?:[\w-]*signature|expires|security-?token|[\w-]*access_?key_?id|x-(?:oss|amz)-[\w-]+|auth_?key|[\w-]*token|sign?)(?:=|%3D)/i;

const TOKEN_KEY = /^auth_?token$/i;
/** The token in text that is not JSON, or was cut so that it no longer is. */
const TOKEN_TEXT = /(auth_?token[\\"']*\s*[:=]\s*)(?:\\*"(?:[^"\\]|\\(?!"))*\\*"?|[^\s,;}&"']+)/gi;

const cutAddress = (address: string): string => {
  const at = address.indexOf("?");
  const place = at < 0 ? address : address.slice(0, at);
  return at >= 0 && SIGNED.test(address.slice(at)) ? place : address;
};

const cleanText = (text: string): string => text.replace(ADDRESS, cutAddress).replace(TOKEN_TEXT, '$1"[hidden]"');

const parsed = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
};

const cleanString = (text: string, depth: number): string => {
  const inner = parsed(text);
  if (inner === undefined) return cleanText(text);
  // Rewritten only when something was found: the integrator's own spelling of a number is kept.
  const [before, after] = [JSON.stringify(inner), JSON.stringify(clean(inner, depth + 1))];
  return before === after ? text : after;
};

const placeOf = (link: string): string => (link.split(/[?#]/, 1)[0] ?? "").replace(/^(https?:\/\/)[^/@]*@/i, "$1");

const clean = (value: Json, depth: number): Json => {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === "string") return cleanString(value, depth);
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return isObject(value) ? cleanObject(value, depth) : value;
};

const cleanObject = (value: JsonObject, depth: number): JsonObject =>
  // fromEntries, not assignment: a key named __proto__ stays a key.
  Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, Json][] => {
      if (TOKEN_KEY.test(key)) return [];
      if (/^calllogurl$/i.test(key) && typeof item === "string") return [[key, placeOf(item)]];
      return [[key, clean(item, depth + 1)]];
    }),
  );

/**
A wire object without its secrets, fit to store, log and print; the argument is left alone.

Every AuthToken is dropped, at any depth and also inside values that are JSON text. CallLogUrl keeps origin and path.
Any other address with a signature in its query loses the query. Everything else stays as it is.
*/
export const cleanMeta = (wire: JsonObject): JsonObject => cleanObject(wire, 0);
