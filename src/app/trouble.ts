import type { Reader, Reports } from "../core/archive.ts";
import type { Selection } from "./selection/selection.ts";

/** The missing, invalid and failed calls of a selection that are already known or acknowledged. */
export interface TroubleReport {
  /** Reported by an earlier run that finished, in the same state and with the same code. */
  knownTrouble: number;
  /** Acknowledged by `callarchive ack`. */
  acknowledged: number;
  /** How many of both do not make the run `partial`. */
  uncounted: number;
  /** Whether known calls are in `uncounted`, as with `--since last`. */
  leavesKnownOut: boolean;
  /** Nothing is left out. */
  strict: boolean;
}

/**
`--since last` counts only new ones, other runs all that are not acknowledged, and `--strict` all.

@param options `logs`: also call logs that are not there although their calls have other records
*/
export const troubleOf = async (
  archive: Reports & Reader,
  { strict }: { strict?: boolean },
  selection: Selection | undefined,
  options?: { logs?: boolean },
): Promise<TroubleReport> => {
  const { known, acknowledged } = await archive.trouble(options);
  const leavesKnownOut = selection?.by === "range" && selection.last;
  const uncounted = strict ? 0 : acknowledged + (leavesKnownOut ? known : 0);
  return { knownTrouble: known, acknowledged, uncounted, leavesKnownOut, strict: strict === true };
};

/** The fields for the record of a run and for the summary in JSON logs. */
export const troubleFacts = ({ knownTrouble, acknowledged }: TroubleReport) => ({ knownTrouble, acknowledged });

/** The counts for the metrics; they add up to all missing, invalid and failed calls. */
export const troubleFigures = (
  { knownTrouble, acknowledged }: TroubleReport,
  { missing, invalid, failed }: Record<"missing" | "invalid" | "failed", number>,
): Record<"new" | "known" | "acknowledged", number> => ({
  new: missing + invalid + failed - knownTrouble - acknowledged,
  known: knownTrouble,
  acknowledged,
});
