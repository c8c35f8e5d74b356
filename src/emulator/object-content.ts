import { createHash } from "node:crypto";
import { Crc64 } from "./crc64.ts";

/** What an object holds. */
export interface Content {
  bytes: number;
  /** With its quotes. */
  etag: string;
  /** CRC-64/XZ, as a decimal number. */
  crc64: () => string;
  /** As in the header Content-MD5; absent for objects that were uploaded in parts. */
  md5?: string;
  /** The bytes from `from` to before `to`. */
  pieces(from: number, to: number): Iterable<Uint8Array>;
}

/** An object in a bucket. */
export interface StoredObject {
  content: Content;
  type: string;
  modifiedAt: Date;
  isPublic: boolean;
}

/** A generated object has this many bytes between two labels. The rest is zeros, as in a sparse file. */
const BLOCK = 256 * 1024;

/** Bytes that were put. */
export const givenContent = (body: Uint8Array): Content => {
  const md5 = createHash("md5").update(body).digest();
  return {
    bytes: body.length,
    etag: `"${md5.toString("hex").toUpperCase()}"`,
    crc64: () => new Crc64().update(body).digest(),
    md5: md5.toString("base64"),
    *pieces(from, to) {
      for (let at = from; at < to; at += BLOCK) yield body.subarray(at, Math.min(to, at + BLOCK));
    },
  };
};

/**
Bytes that are computed when they are read, so that an object of many gigabytes takes no memory: each block begins with
a label that names it, because a piece at the wrong place must be found.
*/
export const generatedContent = (name: string, bytes: number): Content => {
  const tag = createHash("md5").update(`${name}\n${bytes}`).digest("hex").toUpperCase();
  const labelOf = (block: number): Uint8Array => Buffer.from(`${tag} ${String(block).padStart(15, "0")}`);
  let crc: string | undefined;
  const computeCrc = (): string => {
    const sum = new Crc64();
    for (let at = 0; at < bytes; at += BLOCK) {
      const label = labelOf(at / BLOCK).subarray(0, bytes - at);
      sum.update(label).zeros(Math.min(BLOCK, bytes - at) - label.length);
    }
    return sum.digest();
  };
  return {
    bytes,
    // As the store marks an object that was uploaded in parts.
    etag: `"${tag}-${Math.max(1, Math.ceil(bytes / BLOCK))}"`,
    crc64: () => {
      crc ??= computeCrc();
      return crc;
    },
    *pieces(from, to) {
      for (let at = from; at < to; ) {
        const block = Math.floor(at / BLOCK);
        const piece = Buffer.alloc(BLOCK);
        piece.set(labelOf(block));
        const end = Math.min(to, (block + 1) * BLOCK);
        yield piece.subarray(at - block * BLOCK, end - block * BLOCK);
        at = end;
      }
    },
  };
};
