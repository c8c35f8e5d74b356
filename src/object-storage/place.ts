import type { ObjectPlace } from "../core/media.ts";
import { isLoopback } from "../http/hosts.ts";

/** A place in object storage, with its region if the text names one. */
export interface Place extends ObjectPlace {
  /** For example `cn-hangzhou`. */
  region?: string;
}

/** The rules for names of buckets and objects. Source: the vendor's pages "Bucket naming" and "Object naming". */
const BUCKET = /^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/;
const MAX_KEY_BYTES = 1023;

/** An address longer than this holds no valid key, not even a percent-encoded one. */
const MAX_TEXT = 8192;

const REGION = "[a-z]{2,4}(?:-[a-z0-9]+)+?";
/** The hosts of a bucket: in its region, inside the vendor's network, accelerated, and those that speak S3. */
const HOST = new RegExp(
  `^([a-z0-9-]{3,63})\\.(?:(?:s3\\.)?oss-(?:accelerate(?:-overseas)?|(${REGION})(?:-internal)?)|(${REGION})\\.oss)\\.aliyuncs\\.com$`,
);

/** What would end a place, be unseen in it, or be ambiguous in it. `/` stays, so that places can be read. */
const UNSAFE = /[%?#\\\s"<>^`{|}\p{C}\p{Default_Ignorable_Code_Point}]/gu;

export const isBucket = (name: string): boolean => BUCKET.test(name);

/**
Whether this can be the key of an object.

Keys are text from outside: they may hold `..` and control characters, so they are never paths.
*/
export const isKey = (key: string): boolean =>
  key !== "" && key.isWellFormed() && !/^[/\\]/.test(key) && Buffer.byteLength(key) <= MAX_KEY_BYTES;

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

const placeOf = (bucket: string, encodedKey: string, region?: string): Place | undefined => {
  const key = decoded(encodedKey);
  if (key === undefined || !isBucket(bucket) || !isKey(key)) return undefined;
  return { bucket, key, ...(region !== undefined && { region }) };
};

/** Bucket and key of `/BUCKET/KEY`, as a service on this machine writes them. */
const pathStyle = (pathname: string): Place | undefined => {
  const [, bucket = "", ...key] = pathname.split("/");
  return placeOf(bucket, key.join("/"));
};

const ofAddress = (url: URL, endpoint: URL | undefined): Place | undefined => {
  if (endpoint && isLoopback(endpoint) && url.host === endpoint.host) return pathStyle(url.pathname);
  // The signature of a link does not include the scheme: object stores answer on both.
  if ((url.protocol !== "https:" && url.protocol !== "http:") || url.port !== "") return undefined;
  const [, bucket = "", region, dualStackRegion] = HOST.exec(url.hostname) ?? [];
  return placeOf(bucket, url.pathname.slice(1), region ?? dualStackRegion);
};

/**
The place that a text names: `oss://BUCKET/KEY`, or the address of an object, `https://BUCKET.oss-REGION.aliyuncs.com/KEY`.

Keys are percent-encoded in both. User, query and fragment are dropped: they may hold a signature.

@param endpoint the service's; when it is on this machine, `http://HOST/BUCKET/KEY` is an address too
@returns undefined for any other text
*/
export const parsePlace = (text: string, endpoint?: URL): Place | undefined => {
  if (text.length > MAX_TEXT) return undefined;
  const [, bucket, key] = /^oss:\/\/(?:[^/?#@]*@)?([^/?#]*)\/([^?#]*)/i.exec(text) ?? [];
  if (bucket !== undefined && key !== undefined) return placeOf(bucket, key);
  return URL.canParse(text) ? ofAddress(new URL(text), endpoint) : undefined;
};

/** `oss://BUCKET/KEY`, which `parsePlace` reads. On one line, and safe to show. */
export const placeText = ({ bucket, key }: ObjectPlace): string =>
  `oss://${bucket}/${key.toWellFormed().replace(UNSAFE, (c) => encodeURIComponent(c))}`;
