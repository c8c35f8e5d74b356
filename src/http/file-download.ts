import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { CutShort, NotFound, Refused, Unavailable } from "../core/errors.ts";
import type { OpenFile, OpenRange } from "../core/media.ts";
import { noSpace, PartFile } from "./part-file.ts";
import { type RetryOptions, retrying } from "./retry.ts";
import { withDeadline } from "./transport.ts";

export interface FileDownload extends RetryOptions {
  /** One attempt to open the file. */
  open: OpenRange;
  /** The file appears here when it is complete. Until then it is `PATH.part`, with `PATH.part.json` beside it. */
  path: string;
  /** Limit of the file, whatever the server says about its length. */
  maxBytes: number;
  /** When aborted, the part stays, and a later call continues it. */
  signal?: AbortSignal | undefined;
  /** An attempt that gets fewer than 16 KB in this time has failed, in milliseconds. @default 60_000 */
  stallMs?: number;
  /** Called after each piece. @param total absent if the server does not say it */
  progress?: (bytes: number, total: number | undefined) => void;
}

export interface DownloadedFile {
  /** Hex. */
  sha256: string;
  bytes: number;
  /** The first 64 bytes, or fewer if the file has fewer. */
  start: Uint8Array;
}

/** A link that gives less than this before it stalls is no better than one that gives nothing. */
const SLOWEST_BYTES = 16 * 1024;
/**
An attempt that got this much further than all before it has made progress. So a link that gives a byte per attempt ends,
and a file of any size is downloaded over a link that breaks often: the count begins again at most `maxBytes` / 256 KB times.
*/
const PROGRESS_BYTES = 256 * 1024;

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);

const tooLarge = (maxBytes: number): Refused =>
  new Refused(`The file has more than ${megabytes(maxBytes)} MB, the limit.`, { code: "TooLarge" });

const isSame = (file: OpenFile, { identity }: PartFile): boolean =>
  file.etag !== undefined &&
  file.etag === identity.etag &&
  (file.bytes ?? identity.bytes) === identity.bytes &&
  (file.crc64 ?? identity.crc64) === identity.crc64;

/** Throws at once for a file that the disk has no space for, not after hours. */
const checkSpace = async (path: string, needed: number): Promise<void> => {
  const { bavail, bsize } = await statfs(dirname(path));
  if (needed > bavail * bsize)
    throw noSpace(path, `it needs ${megabytes(needed)} MB, and ${megabytes(bavail * bsize)} MB are free`);
};

/** Makes the part ready for the bytes of this file. */
const prepare = async (part: PartFile, file: OpenFile, maxBytes: number): Promise<void> => {
  if (file.bytes !== undefined && file.bytes > maxBytes) throw tooLarge(maxBytes);
  if (file.from === 0) {
    const { etag, bytes, crc64, md5 } = file;
    await part.begin({ etag, bytes, crc64, md5 });
  } else if (file.from !== part.bytes || !isSame(file, part)) {
    await part.begin({});
    throw new CutShort("The file changed while it was downloaded, so it begins again.", { code: "Changed" });
  }
  if (file.bytes !== undefined) await checkSpace(part.path, file.bytes - part.bytes);
};

/**
Downloads a file of any size. Memory does not grow with the file.

An attempt that fails continues where the last one ended, also in a later process, if the file has an ETag and is still the
same; otherwise it begins again. There is no limit for the total time. `retries` counts the attempts since the last progress.

@throws ArchiveErrors of `open`, Refused for a file that is too large, CutShort for one that never arrives whole, and an
Error that says so when the disk is full
*/
export const downloadFile = async (options: FileDownload): Promise<DownloadedFile> => {
  const { open, path, maxBytes, signal, stallMs = 60_000, progress, ...retry } = options;
  const part = await PartFile.open(path, signal);
  let furthest = part.bytes;

  const openPart = async (inner: AbortSignal): Promise<OpenFile> => {
    try {
      return await open(part.bytes, part.bytes > 0 ? part.identity.etag : undefined, inner);
    } catch (error) {
      // The part has more bytes than the file: the file is another one.
      if (part.bytes === 0 || !(error instanceof Refused) || error.facts.status !== 416) throw error;
      await part.begin({});
      return open(0, undefined, inner);
    }
  };

  const attempt = async (inner: AbortSignal, extend: () => void): Promise<DownloadedFile> => {
    if (part.identity.etag === undefined && part.bytes > 0) await part.begin({});
    const file = await openPart(inner);
    await prepare(part, file, maxBytes);
    let sinceExtended = 0;
    for await (const piece of file.body) {
      if (part.bytes + piece.length > maxBytes) throw tooLarge(maxBytes);
      if (part.bytes + piece.length > (file.bytes ?? Number.POSITIVE_INFINITY))
        throw new CutShort("The server sent more of the file than it announced.", { code: "TooLong" });
      await part.append(piece);
      progress?.(part.bytes, file.bytes);
      sinceExtended += piece.length;
      if (sinceExtended < SLOWEST_BYTES) continue;
      sinceExtended = 0;
      extend();
    }
    if (part.bytes < (file.bytes ?? 0))
      throw new CutShort(`The file ended after ${part.bytes} of ${file.bytes} bytes.`, { code: "CutShort" });
    return part.finish();
  };

  const stalled = (): Unavailable =>
    new Unavailable(`The download stalled: fewer than ${SLOWEST_BYTES / 1024} KB arrived in ${stallMs / 1000} s.`, {
      code: "Stalled",
    });
  const madeProgress = (): boolean => {
    if (part.bytes < furthest + PROGRESS_BYTES) return false;
    furthest = part.bytes;
    return true;
  };

  /** Ends the attempt's connection in any case: a body that nobody read would keep it. */
  const closing = async (inner: AbortSignal, extend: () => void): Promise<DownloadedFile> => {
    const closed = new AbortController();
    try {
      return await attempt(AbortSignal.any([inner, closed.signal]), extend);
    } finally {
      closed.abort();
    }
  };

  try {
    return await retrying(() => withDeadline(stallMs, stalled, signal, closing), { ...retry, madeProgress }, signal);
  } catch (error) {
    // No later attempt can use what was downloaded.
    if (error instanceof NotFound || (error instanceof Refused && error.facts.code === "TooLarge"))
      await part.discard();
    throw error;
  } finally {
    await part.close();
  }
};
