import type { Archive } from "../../core/archive.ts";
import { inBatches } from "../../core/flow/batches.ts";
import { forEachConcurrent } from "../../core/flow/pool.ts";
import type { StoredMedia } from "../../core/media.ts";
import type { MediaFilter, MediaOutcome } from "../../core/media-store.ts";
import type { MediaFolder } from "./folder.ts";

/** Outcomes of one commit. */
const BATCH = { maxCount: 100, maxSize: 1_000_000, maxDelayMs: 2_000, sizeOf: () => 1 };
const PAGE = 500;

/** The files of an archive that match, in order of their numbers. One that changes meanwhile may be left out. */
export async function* mediaIn(
  archive: Pick<Archive, "listMedia">,
  filter: Omit<MediaFilter, "after" | "limit">,
): AsyncGenerator<StoredMedia> {
  for (let after = 0; ; ) {
    const page = await archive.listMedia({ ...filter, after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.media;
  }
}

export interface MediaWork {
  files: AsyncIterable<StoredMedia>;
  concurrency: number;
  download(media: StoredMedia): Promise<MediaOutcome>;
  folder: Pick<MediaFolder, "release">;
  /** Stores outcomes. */
  commit(outcomes: readonly MediaOutcome[]): Promise<void>;
  onOutcome?(outcome: MediaOutcome, media: StoredMedia): void;
  closing: AbortSignal;
}

/** Downloads files, several at a time, and stores how they came out. No place is downloaded twice at the same time. */
export const downloadAll = async ({
  files,
  concurrency,
  download,
  folder,
  commit,
  onOutcome,
  closing,
}: MediaWork): Promise<void> => {
  const commits = inBatches<{ outcome: MediaOutcome; place: string }>({
    ...BATCH,
    write: async (batch) => {
      await commit(batch.map(({ outcome }) => outcome));
      for (const { outcome, place } of batch) if (outcome.state === "stored") await folder.release(place);
    },
  });
  const running = new Map<string, Promise<MediaOutcome>>();
  try {
    await forEachConcurrent(
      files,
      concurrency,
      async (media) => {
        const { place } = media;
        const own = running.get(place) ?? download(media).finally(() => running.delete(place));
        running.set(place, own);
        const outcome = { ...(await own), media: media.media };
        onOutcome?.(outcome, media);
        await commits.add({ outcome, place });
      },
      closing,
    );
  } finally {
    await commits.flush();
  }
};
