import type { Archive } from "../core/archive.ts";
import { qualifiedId } from "../core/conversation-id.ts";
import type { Log } from "../core/ports.ts";
import type { Arrival, ArrivalResult } from "../core/records.ts";

/** How many records of a run had each result. */
export type RecordCounts = Record<ArrivalResult, number>;

/** Adds records to the archive, counts what became of them, and warns of conflicts. */
export interface RecordIntake {
  readonly counts: RecordCounts;
  /** When this resolves, the records are on disk. */
  add(arrivals: readonly Arrival[]): Promise<void>;
}

/** @param options `refresh`: records with known ids replace the stored ones; `select`: see `addRecords` */
export const recordIntake = (
  archive: Pick<Archive, "addRecords">,
  log: Log,
  options: { refresh?: boolean; select?: boolean } = {},
): RecordIntake => {
  const counts: RecordCounts = { added: 0, repeated: 0, replaced: 0, moved: 0, conflict: 0, dropped: 0 };
  return {
    counts,
    add: async (arrivals) => {
      const results = await archive.addRecords(arrivals, options);
      for (const [at, result] of results.entries()) {
        counts[result] += 1;
        const arrival = arrivals[at];
        if (result === "conflict" && arrival)
          log("warn", "record-conflict", {
            id: qualifiedId({ source: arrival.source, id: arrival.conversation }),
            record: arrival.record.id,
          });
      }
    },
  };
};
