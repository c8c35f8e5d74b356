import { promisify } from "node:util";
import { brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync, constants } from "node:zlib";

const brotliAsync = promisify(brotliCompress);
const unbrotliAsync = promisify(brotliDecompress);

/** A block as the archive stores it. */
export interface CompressedBlock {
  codec: string;
  /** Bytes before compression. */
  size: number;
  body: Uint8Array | ArrayBuffer;
}

/**
The compression level. Brotli's window covers a whole block, while deflate's is 32 KB: at level 5 Brotli needs 0.77 of
the space of deflate at 6 and 1.2 of its time; decompression takes the same time.

- `fast`: for blocks that will be compressed again soon; a fifth of deflate's time.
- `best`: for blocks that stay.
*/
export type Effort = "fast" | "best";

const options = (length: number, effort: Effort) => ({
  params: {
    [constants.BROTLI_PARAM_QUALITY]: effort === "fast" ? 1 : 5,
    [constants.BROTLI_PARAM_SIZE_HINT]: length,
    // The smallest window that covers the block: a window costs memory, also for reading.
    [constants.BROTLI_PARAM_LGWIN]: Math.min(22, Math.max(10, Math.ceil(Math.log2(length + 16)))),
  },
  chunkSize: Math.max(MIN_CHUNK, Math.ceil(length / 2)),
});

/** Bytes of output. zlib's default of 16 KB returns to the main thread too often. */
const MIN_CHUNK = 4096;

/** Compresses on zlib's threads, so that the main thread stays free for the network. */
export const compress = async (bytes: Uint8Array, effort: Effort): Promise<CompressedBlock> => ({
  codec: "brotli",
  size: bytes.length,
  body: await brotliAsync(bytes, options(bytes.length, effort)),
});

export const compressSync = (bytes: Uint8Array, effort: Effort): CompressedBlock => ({
  codec: "brotli",
  size: bytes.length,
  body: brotliCompressSync(bytes, options(bytes.length, effort)),
});

export const decompress = async (block: CompressedBlock): Promise<Buffer> =>
  unbrotliAsync(storedBytes(block), decompressOptions(block));

export const decompressSync = (block: CompressedBlock): Buffer =>
  brotliDecompressSync(storedBytes(block), decompressOptions(block));

/**
One output chunk for the whole block, a little larger than the block: after a full chunk zlib expects more output. A
wrong size only costs time.
*/
const decompressOptions = ({ size }: CompressedBlock) => ({
  chunkSize: Math.max(MIN_CHUNK, Math.min(size + 64, 64 * 1024 * 1024)),
});

const storedBytes = ({ codec, body }: CompressedBlock): Uint8Array => {
  if (codec !== "brotli")
    throw new Error(`The archive holds documents in the unknown encoding "${codec}". Update callarchive.`);
  return body instanceof Uint8Array ? body : new Uint8Array(body);
};
