import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { parseExact } from "./values-exact.ts";

/** Deeper values of a callback are not searched. */
const DEPTH = 6;

/** Longer texts are no links. */
const LINK_LIMIT = 8192;

const AUDIO = /\.(?:wav|mp3|m4a|aac|ogg|opus|pcm|flac|amr)$/i;

/** Names of the fields of a bucket and of an object, in lower case and without `_` and `-`. No reference names them. */
const BUCKETS = new Set(["bucket", "bucketname", "ossbucket", "ossbucketname"]);
const OBJECTS = new Set(["object", "objectkey", "objectname", "ossobject", "ossobjectkey", "ossobjectname"]);
for (const name of ["key", "osskey", "filekey", "objectpath"]) OBJECTS.add(name);

const BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** An address of an audio file. */
export interface AudioLink {
  /** The address without user, query and fragment. */
  place: string;
  /** The address as it was written; absent for `oss://BUCKET/KEY`. */
  url?: URL;
}

/** Plain http only leads to this machine, where an emulator or a test serves files. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Reads a text as the address of an audio file: https, `oss://BUCKET/KEY`, or http of this machine. */
export const audioLink = (text: string): AudioLink | undefined => {
  if (text.length > LINK_LIMIT || !/^(?:https?|oss):\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (!AUDIO.test(url.pathname)) return undefined;
  if (url.protocol === "oss:") return BUCKET.test(url.host) ? { place: `oss://${url.host}${url.pathname}` } : undefined;
  if (url.protocol !== "https:" && !LOOPBACK.test(url.hostname)) return undefined;
  return { place: url.origin + url.pathname, url };
};

/** `oss://BUCKET/KEY`, if fields of this object name a bucket and the key of an audio file. */
const ossPlace = (value: JsonObject, keys: readonly string[]): string | undefined => {
  let bucket: string | undefined;
  let object: string | undefined;
  for (const key of keys) {
    const field = value[key];
    if (typeof field !== "string" || field.length > LINK_LIMIT) continue;
    const name = key.toLowerCase().replace(/[_-]/g, "");
    if (BUCKETS.has(name) && BUCKET.test(field)) bucket ??= field;
    const path = field.split(/[?#]/, 1)[0] ?? "";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a place is printed, and control characters must not be
    if (OBJECTS.has(name) && AUDIO.test(path) && !/[\0-\x1f\x7f]|:\/\//.test(path)) object ??= path.replace(/^\/+/, "");
  }
  return bucket === undefined || object === undefined ? undefined : `oss://${bucket}/${object.toWellFormed()}`;
};

/** What a search for audio files found. */
export interface AudioPlaces {
  links: AudioLink[];
  /** `oss://BUCKET/KEY`, of fields that name a bucket and an object. */
  objects: string[];
}

/**
The audio files that a value names, also in JSON text, to a depth of 6. Those of the upper levels come first, then by the
names of the fields, so the order of fields makes no difference.
*/
export const audioPlaces = (value: Json): AudioPlaces => {
  const found: AudioPlaces = { links: [], objects: [] };
  let level = [value];
  for (let depth = 0; depth <= DEPTH && level.length > 0; depth += 1)
    level = level.flatMap((each) => collect(each, found));
  return found;
};

/** Adds what a value itself names. @returns the values in it */
const collect = (value: Json, found: AudioPlaces): Json[] => {
  if (typeof value === "string") {
    const link = audioLink(value);
    if (link) found.links.push(link);
    const inner = link ? undefined : jsonIn(value);
    return inner === undefined ? [] : [inner];
  }
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return [];
  const keys = Object.keys(value).toSorted();
  const object = ossPlace(value, keys);
  if (object !== undefined) found.objects.push(object);
  return keys.map((key) => value[key] ?? null);
};

/** What a text holds as JSON, if it is an object or a list. */
export const jsonIn = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
};

/** The place of the audio file that a value names: a bucket and an object before the first address. */
export const audioPlace = (value: Json): string | undefined => {
  const { objects, links } = audioPlaces(value);
  return objects[0] ?? links[0]?.place;
};
