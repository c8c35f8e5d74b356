import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** In bytes. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** The bytes of a file, unpacked if its name ends in `.gz`. */
export const bytesOf = (path: string): Readable => {
  const file = createReadStream(path);
  // Errors of the file and of gunzip both reach the reader.
  return path.endsWith(".gz") ? pipeline(file, createGunzip(), () => undefined) : file;
};

/** Whether an error of `bytesOf` says that the gzip is damaged. */
export const isBrokenGzip = (error: unknown): boolean =>
  /^Z_|^ERR_STREAM_PREMATURE/.test((error as NodeJS.ErrnoException).code ?? "");

/** Lines as bytes without line feeds, because invalid UTF-8 must be reported and not replaced. */
export async function* byteLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | "long"> {
  let open: Buffer[] = [];
  let length = 0;
  const take = (): Buffer | "long" => {
    const line = length > LONGEST_LINE ? "long" : open.length === 1 && open[0] ? open[0] : Buffer.concat(open);
    open = [];
    length = 0;
    return line;
  };
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length > LONGEST_LINE) open = [];
    else open.push(piece);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take();
}
