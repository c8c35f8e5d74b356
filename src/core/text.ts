import { isAscii, isUtf8, transcode } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { isObject, type Json } from "./transcript.ts";

/** No document is larger than this, in bytes, also after gunzip. */
export const DOCUMENT_LIMIT = 64 * 1024 * 1024;

/**
The same value with every lone surrogate in its strings and keys replaced by U+FFFD.

A `__proto__` key stays an ordinary key.

@throws RangeError when nested deeper than `levels`. No real document is, and deeper ones would overflow the stack.
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

// Whitespace, control and format characters, and what fonts draw as nothing.
const VISIBLE = /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Nothing that can be seen: only whitespace, zero-width characters and control characters. */
export const blank = (text: string): boolean => !VISIBLE.test(text);

/**
JSON text in which every string is well-formed. JSON allows an escaped lone surrogate, but many readers fail on it.
*/
export const jsonOf = (value: Json | object): string => {
  const text = JSON.stringify(value);
  // JSON.stringify writes lone surrogates as \ud…, always in lower case.
  return text.includes("\\ud") ? JSON.stringify(wellFormed(value as Json)) : text;
};

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
The document without gzip and without a UTF-8 byte order mark.

@throws zlib's error: `ERR_BUFFER_TOO_LARGE` above `DOCUMENT_LIMIT`; any other code means damaged or incomplete gzip.
*/
export const unpacked = (bytes: Uint8Array): Uint8Array => {
  const plain = isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: DOCUMENT_LIMIT }) : bytes;
  return plain[0] === 0xef && plain[1] === 0xbb && plain[2] === 0xbf ? plain.subarray(3) : plain;
};

/**
The text of UTF-8 bytes, without byte order mark; undefined when they are not UTF-8.

Text that is not ASCII goes through UTF-16: in Node that is five times as fast as decoding.
*/
export const utf8 = (bytes: Uint8Array): string | undefined => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isAscii(buffer)) return buffer.toString("latin1");
  if (!isUtf8(buffer)) return undefined;
  const text = transcode(buffer, "utf8", "utf16le").toString("utf16le");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
};
