import { rm } from "node:fs/promises";
import { ArchiveError, LinkExpired, NotFound, Refused } from "../../core/errors.ts";
import type { OpenRange, StoredMedia } from "../../core/media.ts";
import type { MediaOutcome } from "../../core/media-store.ts";
import { mediaTypeOf, wavSeconds } from "../../core/media-type.ts";
import { type DownloadedFile, downloadFile } from "../../http/file-download.ts";
import type { MediaCloud } from "./cloud.ts";
import type { KeptFile, MediaFolder } from "./folder.ts";

/** So many attempts of runs, then a file counts as `failed`. */
const MOST_ATTEMPTS = 10;
/** How many new links one file may get. */
const MOST_LINKS = 3;

export interface DownloadLimits {
  maxBytes: number;
  signal: AbortSignal;
  /** Called after each piece. */
  progress?: (bytes: number) => void;
}

export type MediaToDownload = Pick<StoredMedia, "media" | "kind" | "place" | "attempts">;

/**
Downloads a file into the folder of media, named by its content.

@param link a signed link to it that is known at the moment; without one, or when it has expired, our credentials are used
@returns how it came out, for the archive
@throws ArchiveError that ends a run, and the reason of `signal`
*/
export const downloadMedia = async (
  media: MediaToDownload,
  link: URL | undefined,
  cloud: MediaCloud,
  folder: MediaFolder,
  limits: DownloadLimits,
): Promise<MediaOutcome> => {
  const { media: number, place } = media;
  try {
    const kept = await folder.kept(place);
    if (kept) return storedAs(number, kept);
    const part = await folder.partOf(place);
    const file = await fetchFile(place, link, part, cloud, limits);
    const type = mediaTypeOf(file.start);
    if (type === undefined) {
      await rm(part, { force: true });
      throw new Refused("It is a text or a page, and not audio or video.", { code: "NotMedia" });
    }
    const { sha256, bytes } = file;
    const stored = { sha256, bytes, type, seconds: wavSeconds(file.start, bytes) };
    await folder.keep(place, stored);
    return storedAs(number, stored);
  } catch (error) {
    if (limits.signal.aborted) throw limits.signal.reason;
    if (!(error instanceof ArchiveError)) throw error;
    if (error.next === "stop") throw error;
    return {
      media: number,
      state: stateAfter(error, media),
      error: { code: error.facts.code, message: error.message },
    };
  }
};

const storedAs = (media: number, { sha256, bytes, type, seconds }: KeptFile): MediaOutcome => ({
  media,
  state: "stored",
  sha256,
  bytes,
  ...(type !== undefined && { type }),
  ...(seconds !== undefined && { seconds }),
});

const stateAfter = (error: ArchiveError, { attempts }: Pick<StoredMedia, "attempts">) => {
  // A bucket that is not there is mostly one of another region: its files are not lost.
  if (error instanceof NotFound && error.facts.code !== "NoSuchBucket") return "missing";
  if (error instanceof Refused && !(error instanceof LinkExpired)) return "failed";
  return attempts + 1 >= MOST_ATTEMPTS ? "failed" : "pending";
};

/** Tries the link, then what our credentials reach. */
const fetchFile = async (
  place: string,
  link: URL | undefined,
  path: string,
  cloud: MediaCloud,
  { maxBytes, signal, progress }: DownloadLimits,
): Promise<DownloadedFile> => {
  const get = (open: OpenRange): Promise<DownloadedFile> =>
    downloadFile({ ...cloud.retry, open, path, maxBytes, signal, ...(progress && { progress }) });
  if (link)
    try {
      return await get(cloud.openLink(link));
    } catch (error) {
      const isOver = error instanceof LinkExpired || (error instanceof Refused && error.facts.status === 403);
      if (!isOver) throw error;
    }
  for (let links = 0; ; links += 1)
    try {
      return await get(await cloud.openPlace(place, signal));
    } catch (error) {
      if (!(error instanceof LinkExpired) || links >= MOST_LINKS) throw error;
    }
};
