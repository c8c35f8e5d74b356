import { isAscii, isUtf8, transcode } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { isObject, type Json } from "./transcript.ts";

/** No document is larger than this, in bytes, also after gunzip. */
export const DOCUMENT_LIMIT = 64 * 1024 * 1024;

/**
The same value with every lone surrogate in its strings and keys replaced by U+FFFD.

A `__proto__` key stays an ordinary key.

@throws RangeError when nested deeper than `levels`: no honest document is, and it would overflow the stack of whoever
walks or writes it.
*/
export const wellFormed = (value: Json, levels = 250): Json => {
  if (levels < 0) throw new RangeError("nested too deep");
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map((item) => wellFormed(item, levels - 1));
  if (!isObject(value)) return value;
  // fromEntries defines keys where assignment would run the setter of `__proto__`.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item, levels - 1)]),
  );
};

/**
JSON text in which every string is well-formed: a lone surrogate is legal there, as an escape, but breaks readers.
*/
export const jsonOf = (value: object): string => {
  const text = JSON.stringify(value);
  // JSON.stringify writes lone surrogates as \ud…, always in lower case.
  return text.includes("\\ud") ? JSON.stringify(wellFormed(value as Json)) : text;
};

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
A document's own bytes: gunzipped where it is gzip, and without a UTF-8 byte order mark.

@throws what zlib throws: `ERR_BUFFER_TOO_LARGE` past `DOCUMENT_LIMIT`, else the gzip is broken or cut.
*/
export const unpacked = (bytes: Uint8Array): Uint8Array => {
  const plain = isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: DOCUMENT_LIMIT }) : bytes;
  return plain[0] === 0xef && plain[1] === 0xbb && plain[2] === 0xbf ? plain.subarray(3) : plain;
};

/**
The text of UTF-8, without byte order marks; undefined where it is something else.

By way of UTF-16 for what is not ASCII: Node checks and widens it five times as fast as it decodes.
*/
export const utf8 = (bytes: Uint8Array): string | undefined => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isAscii(buffer)) return buffer.toString("latin1");
  if (!isUtf8(buffer)) return undefined;
  const text = transcode(buffer, "utf8", "utf16le").toString("utf16le");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
};
