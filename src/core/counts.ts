import type { ExportCounts } from "./render-batch.ts";
import type { Counts } from "./state.ts";

/** The counts of a run. `selected` is the sum of all the others. */
export type RunCounts = {
  selected: number;
  exported: number;
  skipped: number;
  open: number;
  missing: number;
  invalid: number;
  failed: number;
  /** Selected but never requested, because an earlier run ended first. */
  pending: number;
};

/** Calls that the ledger cannot count. */
export interface UnrecordedCounts {
  /** Running calls with neither id nor link, so they cannot be recorded. */
  running: number;
  /** Such calls from more than 72 hours ago, and ids of an offline selection that the archive does not have. */
  absent: number;
  /** Lines of an id file that are not an id. */
  unreadable: number;
}

/** @throws Error when the counts do not add up: a call was lost */
export const runCountsOf = (
  counts: Counts,
  { exported, skipped, invalid }: ExportCounts,
  { running, absent, unreadable }: UnrecordedCounts,
): RunCounts => {
  const tally = {
    exported,
    skipped: counts.pruned + sumOf(skipped),
    open: counts.open + running,
    missing: counts.missing + absent,
    invalid: counts.invalid + invalid,
    failed: counts.failed + unreadable,
    pending: counts.pending,
  };
  const selected = sumOf(counts) + running + absent + unreadable;
  const found = sumOf(tally);
  if (found !== selected)
    throw new Error(
      `Internal error: counts do not add up: ${selected} calls selected, ${found} counted. If another run changed the archive meanwhile, run the same command again.`,
    );
  return { selected, ...tally };
};

export const sumOf = (parts: Partial<Record<string, number>>): number =>
  Object.values(parts).reduce<number>((sum, n = 0) => sum + n, 0);
