import type { ExportCounts } from "./render-batch.ts";
import type { Counts } from "./state.ts";

/** How a selection came out. `selected` is the sum of all the others: a call is never lost from the books. */
export type RunCounts = {
  selected: number;
  exported: number;
  skipped: number;
  open: number;
  missing: number;
  invalid: number;
  failed: number;
  /** Selected, and never asked for: an earlier run ended before it came to them. */
  pending: number;
};

/** What the ledger cannot know. */
export interface UnrecordedCounts {
  /** Calls that are still going on and have neither id nor link to record them by. */
  running: number;
  /** The same, from more than 72 hours ago; and ids that an offline selection names and the archive does not have. */
  absent: number;
  /** Lines of an id file that are no id. */
  unreadable: number;
}

/** @throws Error when the parts do not add up, which would mean that a call was lost on the way */
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
      `The books do not balance: ${selected} calls selected, ${found} accounted for. If another run changed the archive meanwhile, run the same command again.`,
    );
  return { selected, ...tally };
};

export const sumOf = (parts: Partial<Record<string, number>>): number =>
  Object.values(parts).reduce<number>((sum, n = 0) => sum + n, 0);
