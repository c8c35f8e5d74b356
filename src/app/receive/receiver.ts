import { messageOf } from "../../core/errors.ts";
import type { Inbox } from "../../core/inbox.ts";
import type { Log } from "../../core/ports.ts";
import { openMetrics } from "../metrics/open-metrics.ts";
import type { AudioDownloads } from "./audio.ts";
import { type Deliveries, type Reason, Refusal } from "./deliveries.ts";
import { createIntake } from "./intake.ts";
import type { Headers } from "./signature.ts";

/** Checks deliveries and stores their events in the inbox. */
export interface Receiver {
  /** When this resolves, every record of the delivery is on disk. @throws Refusal */
  receive(deliveries: Deliveries, headers: Headers, body: Buffer): Promise<void>;
  /** Counts a refused request, and logs it: of each reason at most once a minute. */
  refused(refusal: Refusal): void;
  /** Whether an event would be stored now. */
  canStore(): Promise<boolean>;
  /** As OpenMetrics text. */
  metrics(): Promise<string>;
  counts(): { received: number; stored: number; repeated: number; other: number; refused: number };
}

const LOG_AGAIN_MS = 60_000;

export const createReceiver = (
  inbox: Pick<Inbox, "store" | "renew" | "standing">,
  audio: Pick<AudioDownloads, "counts" | "waiting"> | undefined,
  { log, now }: { log: Log; now: () => Date },
): Receiver => {
  const intake = createIntake(inbox);
  const refusals = new Map<Reason, { count: number; loggedAt: number }>();
  let received = 0;
  let other = 0;

  return {
    receive: async (deliveries, headers, body) => {
      deliveries.checkHeaders(headers);
      const found = await deliveries.recordsIn(headers, body);
      if (!intake.hasRoomFor(found.entries.length)) throw new Refusal("queue-full");
      received += found.entries.length + found.other;
      other += found.other;
      if (found.entries.length > 0)
        await intake.add(found.entries).catch((error: unknown) => {
          throw new Refusal("storage", { cause: error });
        });
      found.onStored?.();
      if (found.broken) throw new Refusal(found.broken);
    },
    refused: ({ reason, cause }) => {
      const before = refusals.get(reason) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY };
      const at = now().getTime();
      const isDue = at - before.loggedAt >= LOG_AGAIN_MS;
      refusals.set(reason, { count: before.count + 1, loggedAt: isDue ? at : before.loggedAt });
      if (!isDue) return;
      const message = cause === undefined ? {} : { message: messageOf(cause) };
      log("warn", "refused", { reason, count: before.count + 1, ...message });
    },
    canStore: intake.canStore,
    counts: () => ({
      received,
      ...intake.counts,
      other,
      refused: [...refusals.values()].reduce((sum, { count }) => sum + count, 0),
    }),
    metrics: async () => {
      const { gauge, counter, text } = openMetrics("callarchive_receive", {});
      const { records, oldest, bytes } = await inbox.standing();
      const age = oldest === undefined ? 0 : Math.max(0, now().getTime() - oldest.getTime()) / 1000;
      counter("events", "Events and callbacks in deliveries that were accepted for storing.", [[{}, received]]);
      counter("stored", "Events that were stored in the inbox.", [[{}, intake.counts.stored]]);
      counter("repeated", "Events that the inbox had already.", [[{}, intake.counts.repeated]]);
      counter("other", "Events of other types, which are not stored.", [[{}, other]]);
      counter(
        "refused",
        "Requests that were refused, by reason.",
        [...refusals].map(([reason, { count }]) => [{ reason }, count]),
      );
      gauge("queue", "Events that wait for their commit.", [[{}, intake.waiting]]);
      gauge("inbox_records", "Records that wait for the archive.", [[{}, records]]);
      gauge("inbox_bytes", "Size of the inbox's file.", [[{}, bytes]]);
      gauge("inbox_oldest_age_seconds", "Age of the oldest record that waits for the archive.", [[{}, age]]);
      if (audio) {
        counter("audio_downloaded", "Audio files of callbacks that were downloaded.", [[{}, audio.counts.downloaded]]);
        counter("audio_failed", "Attempts to download audio that failed.", [[{}, audio.counts.failed]]);
        gauge("audio_waiting", "Audio files that wait for their download, or are being downloaded.", [
          [{}, audio.waiting],
        ]);
      }
      return text();
    },
  };
};
