import { isObject, type Json, type JsonObject } from "../core/transcript.ts";

/** Deeper than any answer of the service; what lies below is dropped, so that nothing overflows the stack. */
const MAX_DEPTH = 64;

/** Of any scheme, also with the slashes escaped as some JSON writers do. The bound keeps long words from costing a square. */
const ADDRESS = /[a-z][a-z0-9+.-]{0,20}:(?:\\{0,4}\/){2}(?:[^\s"'<>\\]|\\{1,4}\/)+/gi;
/** Names of parameters that sign or open something, also when the address sits encoded in another one. */
const SIGNED =
  /(?:[?&;#]|%26|%3F|%23)(?:[\w-]*signature|expires|security-?token|[\w-]*access_?key_?id|x-(?:oss|amz)-[\w-]+|auth_?key|[\w-]*token|sign?)(?:=|%3D)/i;

const TOKEN_KEY = /^auth[_-]?token$/i;
/** The token in text that is not JSON, or was cut so that it no longer is. */
const TOKEN_TEXT = /(auth[_-]?token[\\"']*\s*[:=]\s*)(?:\\*"(?:[^"\\]|\\(?!"))*\\*"?|[^\s,;}&"']+)/gi;

/** Without user and password, and without a query or fragment that opens something. */
const cutAddress = (address: string): string => {
  const bare = withoutUsers(address);
  const place = bare.split(/[?#]/, 1)[0] ?? "";
  const rest = bare.slice(place.length);
  if (!SIGNED.test(rest)) return bare;
  const query = rest.split("#", 1)[0] ?? "";
  return SIGNED.test(query) ? place : place + query;
};

/** What stands before the last @ of a host's part, also in an address that is a parameter of another one. */
const withoutUsers = (address: string): string => address.replace(/(:(?:\\{0,4}\/){2})[^/\\?#&;]*@/g, "$1");

/** Where neither an address nor a token can be found, there is nothing to replace: in nearly every text. */
const PERHAPS = /:\\{0,4}\/|token/i;

const cleanText = (text: string): string =>
  PERHAPS.test(text) ? text.replace(ADDRESS, cutAddress).replace(TOKEN_TEXT, '$1"[hidden]"') : text;

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
  try {
    // Rewritten only when something was found: the integrator's own spelling of a number is kept.
    const [before, after] = [JSON.stringify(inner), JSON.stringify(clean(inner, depth + 1))];
    return before === after ? text : after;
  } catch {
    // Nested so deep that writing it overflows the stack.
    return cleanText(text);
  }
};

const placeOf = (link: string): string => withoutUsers(link.split(/[?#]/, 1)[0] ?? "");

const clean = (value: Json, depth: number): Json => {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === "string") return cleanString(value, depth);
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  return isObject(value) ? cleanObject(value, depth) : value;
};

const cleanObject = (value: JsonObject, depth: number): JsonObject => {
  const kept: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (TOKEN_KEY.test(key)) continue;
    const isLink = typeof item === "string" && /^calllogurl$/i.test(key);
    kept.push([key, isLink ? placeOf(item) : clean(item, depth + 1)]);
  }
  // fromEntries, not assignment: a key named __proto__ stays a key.
  return Object.fromEntries(kept);
};

/**
A wire object without its secrets, fit to store, log and print; the argument is left alone.

Every AuthToken is dropped, at any depth and also inside values that are JSON text. CallLogUrl keeps origin and path.
Any other address loses user and password, and its query or fragment when that signs or opens something. Everything else
stays as it is.
*/
export const cleanMeta = (wire: JsonObject): JsonObject => cleanObject(wire, 0);

/** In characters. */
const PLAIN = 1000;

/** `cleanMeta` of the short plain values alone: for an object that it cannot take. */
export const leastMeta = (wire: JsonObject): JsonObject =>
  cleanMeta(
    Object.fromEntries(
      Object.entries(wire).filter(([, value]) => typeof value !== "object" && String(value).length <= PLAIN),
    ),
  );
