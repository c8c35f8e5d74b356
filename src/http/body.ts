import { hash } from "node:crypto";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";
import { CutShort, Refused } from "../core/errors.ts";

/** Reads a stream. Throws as soon as it exceeds `maxBytes`, which also ends the connection. */
export const collect = async (body: AsyncIterable<Uint8Array>, maxBytes: number, host: string): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge(host, maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
};

/** Reads a complete body. With a Content-Length, undici checks the length and reads it faster than a stream. */
export const readBody = async (
  body: AsyncIterable<Uint8Array> & { arrayBuffer(): Promise<ArrayBuffer> },
  contentLength: string | string[] | undefined,
  maxBytes: number,
  host: string,
): Promise<Buffer> => {
  const length = Number(contentLength ?? Number.NaN);
  if (length > maxBytes) throw tooLarge(host, maxBytes);
  return length >= 0 ? Buffer.from(await body.arrayBuffer()) : collect(body, maxBytes, host);
};

/** The first `maxBytes` of a stream as text, for an error page. */
export const readStart = async (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> => {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(piece);
    length += piece.length;
    if (length >= maxBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBytes).toString("utf8");
};

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);

export const tooLarge = (host: string, maxBytes: number): Refused =>
  new Refused(`${host} sent more than ${megabytes(maxBytes)} MB, the limit of this program.`, {
    code: "TooLarge",
  });

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;

const inflateAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate);
const inflateRawAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);
const gunzipAsync = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);
const decoders: Readonly<Record<string, Decoder>> = {
  gzip: gunzipAsync,
  "x-gzip": gunzipAsync,
  // The standard means the zlib format, but some servers send raw deflate.
  deflate: (bytes, options) =>
    ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateAsync(bytes, options) : inflateRawAsync(bytes, options),
  br: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(brotliDecompress),
};

/**
Decodes a Content-Encoding.

zlib stops at `maxBytes` of output, so a decompression bomb needs no more memory than a normal document.

@throws Refused for an unknown encoding
@throws CutShort when the bytes end early or cannot be decoded
*/
export const decode = async (bytes: Buffer, encoding: string, maxBytes: number, host: string): Promise<Buffer> => {
  const name = encoding.trim().toLowerCase();
  if (name === "" || name === "identity" || bytes.length === 0) return bytes;
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (!decoder)
    throw new Refused(`${host} sent the document in a Content-Encoding that this program does not support.`, {
      code: "UnknownEncoding",
    });
  try {
    return await decoder(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(host, maxBytes);
    throw new CutShort(`The compressed document of ${host} is incomplete or damaged.`, { code: "BadEncoding" });
  }
};

/** Compares a Content-MD5 header. The hash may be of the compressed or of the decoded bytes. @throws CutShort */
export const checkMd5 = (header: string, candidates: readonly Uint8Array[], host: string): void => {
  const expected = header.trim();
  if (!candidates.some((bytes) => hash("md5", bytes, "base64") === expected))
    throw new CutShort(`The document of ${host} does not match its Content-MD5.`, { code: "BadChecksum" });
};
