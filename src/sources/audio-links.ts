import { cleanMeta } from "../cloud/clean.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { audioLink, audioPlaces, jsonIn } from "../parse/audio-place.ts";

/** Deeper values are dropped, as `cleanMeta` drops them. */
const LEVELS = 64;

/**
The object without secrets, and its links to audio files without their query.

A signature differs from one delivery to the next, also in a form that nobody knows yet. Without it the same event is the
same record.
*/
export const cleanAudioLinks = (value: JsonObject): JsonObject => cleanMeta(ofObject(value, 0));

const ofObject = (value: JsonObject, level: number): JsonObject =>
  // fromEntries keeps a key named __proto__; an assignment would not.
  Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutQueries(each, level + 1)]));

const withoutQueries = (value: Json, level: number): Json => {
  if (level > LEVELS) return null;
  if (typeof value === "string") return ofText(value, level);
  if (Array.isArray(value)) return value.map((each) => withoutQueries(each, level + 1));
  return isObject(value) ? ofObject(value, level) : value;
};

const ofText = (text: string, level: number): string => {
  const link = audioLink(text);
  if (link) return link.place;
  const inner = text.includes("//") || text.includes("/\\/") ? jsonIn(text) : undefined;
  if (inner === undefined) return text;
  try {
    // Rewritten only when something was removed, so that the text keeps its form.
    const [before, after] = [JSON.stringify(inner), JSON.stringify(withoutQueries(inner, level + 1))];
    return before === after ? text : after;
  } catch {
    // Nested so deeply that JSON.stringify overflows the stack: `cleanMeta` cleans it as text.
    return text;
  }
};

/**
The links of a callback to audio files that carry a query, by the place that its record names. They are secrets that expire:
only for use in memory.

A link to an object that the callback also names by bucket and key stands under both places.
*/
export const signedLinks = (value: Json): Map<string, URL> => {
  const { links, objects } = audioPlaces(value);
  const found = new Map<string, URL>();
  const byObject = new Map<string, URL>();
  for (const { place, url } of links) {
    if (!url || url.search === "") continue;
    // The record's place went through the same.
    const { cleaned } = cleanMeta({ cleaned: place });
    if (typeof cleaned === "string" && !found.has(cleaned)) found.set(cleaned, url);
    const key = decodedPath(url);
    const bucket = url.hostname.split(".", 1)[0];
    if (key !== undefined && !byObject.has(`oss://${bucket}${key}`)) byObject.set(`oss://${bucket}${key}`, url);
  }
  for (const object of objects) {
    const url = byObject.get(object);
    if (url && !found.has(object)) found.set(object, url);
  }
  return found;
};

const decodedPath = ({ pathname }: URL): string | undefined => {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
};
