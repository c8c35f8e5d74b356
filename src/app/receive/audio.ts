import type { Archive } from "../../core/archive.ts";
import { ArchiveError, messageOf } from "../../core/errors.ts";
import type { StoredMedia } from "../../core/media.ts";
import type { MediaOutcome } from "../../core/media-store.ts";
import type { Log } from "../../core/ports.ts";
import type { MediaCloud } from "../media/cloud.ts";
import { downloadMedia } from "../media/download.ts";
import type { MediaFolder } from "../media/folder.ts";
import { removeDiscarded } from "../media/remove.ts";

/** Files that wait in memory, with their links; others are found in the archive, and downloaded with our credentials. */
const MOST_WAITING = 10_000;
/** Rows of one look into the archive. */
const PAGE = 500;
/** The wait after a failed attempt: the first one, doubled by each attempt, and the longest, in milliseconds. */
const WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 6 * 3_600_000;
const KINDS = ["sentence", "call-audio"] as const;

/** Downloads the audio of callbacks while they are received. */
export interface AudioDownloads {
  /** Files of stored callbacks, by place, with links that are valid now. They are kept in memory only. */
  want(links: ReadonlyMap<string, URL>): void;
  /** Stores what was downloaded, and takes up what waits. The caller holds the archive's lock, and has drained the inbox. */
  exchange(archive: Pick<Archive, "listMedia" | "commitMedia" | "discardedMedia" | "forgetDiscarded">): Promise<void>;
  readonly counts: { downloaded: number; failed: number };
  /** Whether the archive should learn what was downloaded: all that waited has come, or failed. */
  readonly hasResults: boolean;
  /** How many files wait or are being downloaded. */
  readonly waiting: number;
  /** Ends the downloads; what is there of them stays, and a later run goes on. */
  stop(): Promise<void>;
}

export interface AudioOptions {
  cloud: MediaCloud;
  folder: MediaFolder;
  maxBytes: number;
  /** Files downloaded at once. */
  concurrency: number;
  now: () => Date;
  log: Log;
}

export const createAudioDownloads = ({
  cloud,
  folder,
  maxBytes,
  concurrency,
  now,
  log,
}: AudioOptions): AudioDownloads => {
  const waiting = new Map<string, Pick<StoredMedia, "attempts"> & { link?: URL }>();
  const running = new Map<string, Promise<void>>();
  const results = new Map<string, MediaOutcome>();
  const stopping = new AbortController();
  const counts = { downloaded: 0, failed: 0 };
  let loggedCode: string | undefined;

  const isKnown = (place: string): boolean => waiting.has(place) || running.has(place) || results.has(place);

  const start = (): void => {
    for (const [place, { attempts, link }] of waiting) {
      if (running.size >= concurrency || results.size >= MOST_WAITING || stopping.signal.aborted) return;
      waiting.delete(place);
      const work = download(place, attempts, link).finally(() => {
        running.delete(place);
        start();
      });
      running.set(place, work);
    }
  };

  const download = async (place: string, attempts: number, link: URL | undefined): Promise<void> => {
    const media = { media: 0, kind: "sentence" as const, place, attempts };
    const limits = { maxBytes, signal: stopping.signal };
    try {
      const outcome = await downloadMedia(media, link, cloud, folder, limits);
      results.set(place, outcome);
      if (outcome.state === "stored") counts.downloaded += 1;
      else report(outcome.error.code, outcome.error.message);
    } catch (error) {
      if (stopping.signal.aborted) return;
      // Credentials, permission or a full disk: the next attempt may find them in order.
      const code = error instanceof ArchiveError ? error.facts.code : "Unexpected";
      report(code, messageOf(error));
      results.set(place, { media: 0, state: "pending", error: { code, message: messageOf(error) } });
    }
  };

  /** Logs the first failure of a kind. */
  const report = (code: string, message: string): void => {
    counts.failed += 1;
    log(code === loggedCode ? "debug" : "warn", "audio-not-downloaded", { code, message });
    loggedCode = code;
  };

  const isDue = ({ attempts, error }: StoredMedia): boolean =>
    error === undefined ||
    Date.parse(error.at) + Math.min(LONGEST_WAIT_MS, WAIT_MS * 2 ** (attempts - 1)) <= now().getTime();

  const store = async (archive: Pick<Archive, "listMedia" | "commitMedia">): Promise<void> => {
    const places = [...results.keys()];
    for (let from = 0; from < places.length; from += PAGE) {
      const part = places.slice(from, from + PAGE);
      const rows = await archive.listMedia({ places: part, limit: Number.MAX_SAFE_INTEGER });
      const known = new Set(rows.map(({ place }) => place));
      const outcomes = rows.flatMap(({ media, place, state }): MediaOutcome[] => {
        const result = results.get(place);
        return result && state === "pending" ? [{ ...result, media }] : [];
      });
      // Without a row, its conversation was deleted: the file is to be deleted, too.
      const orphans = part.flatMap((place) => (known.has(place) ? [] : (results.get(place) ?? [])));
      await archive.commitMedia([...outcomes, ...orphans.filter(({ state }) => state === "stored")]);
      for (const place of part) {
        results.delete(place);
        await folder.release(place);
      }
    }
  };

  let seen = 0;
  return {
    counts,
    get hasResults() {
      return results.size > 0 && waiting.size + running.size === 0;
    },
    get waiting() {
      return waiting.size + running.size;
    },
    want: (links) => {
      for (const [place, link] of links)
        if (!isKnown(place) && waiting.size < MOST_WAITING) waiting.set(place, { attempts: 0, link });
      start();
    },
    exchange: async (archive) => {
      await store(archive);
      await removeDiscarded(archive, folder);
      const rows = await archive.listMedia({ states: ["pending"], kinds: KINDS, after: seen, limit: PAGE });
      // From the beginning again when all were looked at: those that failed are due later.
      seen = rows.length < PAGE ? 0 : (rows.at(-1)?.media ?? 0);
      for (const row of rows)
        if (isDue(row) && !isKnown(row.place) && waiting.size < MOST_WAITING)
          waiting.set(row.place, { attempts: row.attempts });
      start();
    },
    stop: async () => {
      stopping.abort(new Error("The receiver ends."));
      await Promise.allSettled(running.values());
    },
  };
};
