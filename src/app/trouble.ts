import type { Archive } from "../core/archive.ts";
import type { Selection } from "./selection/selection.ts";

/** Calls of a selection that are missing, invalid or failed, but are no news. */
export interface TroubleReport {
  /** Reported by an earlier run that finished, in the same state and with the same code. */
  knownTrouble: number;
  /** Settled by `callarchive ack`. */
  acknowledged: number;
  /** How many of both do not make the run `partial`. */
  uncounted: number;
  /** Whether `uncounted` leaves out known trouble, as runs from the last one on do. */
  leavesKnownOut: boolean;
  /** All trouble counts. */
  strict: boolean;
}

/** `--since last` counts only what is new, everything else only what nobody acknowledged; `--strict` counts all. */
export const troubleOf = async (
  archive: Archive,
  { strict }: { strict?: boolean },
  selection: Selection | undefined,
): Promise<TroubleReport> => {
  const { known, acknowledged } = await archive.trouble();
  const leavesKnownOut = selection?.by === "range" && selection.last;
  const uncounted = strict ? 0 : acknowledged + (leavesKnownOut ? known : 0);
  return { knownTrouble: known, acknowledged, uncounted, leavesKnownOut, strict: strict === true };
};

/** The same for the record of a run, and for the machine's summary. */
export const troubleFacts = ({ knownTrouble, acknowledged }: TroubleReport) => ({ knownTrouble, acknowledged });

/** All trouble of a run, by whether it is news: the parts add up to what is missing, invalid or failed. */
export const troubleFigures = (
  { knownTrouble, acknowledged }: TroubleReport,
  { missing, invalid, failed }: Record<"missing" | "invalid" | "failed", number>,
): Record<"new" | "known" | "acknowledged", number> => ({
  new: missing + invalid + failed - knownTrouble - acknowledged,
  known: knownTrouble,
  acknowledged,
});
