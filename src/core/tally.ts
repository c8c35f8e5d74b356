import type { Exported } from "./export.ts";
import type { Counts } from "./ports.ts";

/** How a selection came out. `selected` is the sum of all the others: a call is never lost from the books. */
export type Tally = {
  selected: number;
  exported: number;
  skipped: number;
  open: number;
  missing: number;
  invalid: number;
  failed: number;
};

/** What the ledger cannot know. */
export interface Beside {
  /** Calls that are still going on and have neither id nor link to record them by. */
  unnamed: number;
  /** Ids that an offline selection names and the archive does not have. */
  absent: number;
}

/** @throws Error when the parts do not add up, which would mean that a call was lost on the way */
export const tallyOf = (
  counts: Counts,
  { exported, skipped, invalid }: Exported,
  { unnamed, absent }: Beside,
): Tally => {
  const tally = {
    exported,
    skipped: Object.values(skipped).reduce((sum, n) => sum + n, 0),
    open: counts.open + unnamed,
    missing: counts.missing + absent,
    invalid: counts.invalid + invalid,
    failed: counts.failed,
  };
  const selected = Object.values(counts).reduce((sum, n) => sum + n, 0) + unnamed + absent;
  const found = Object.values(tally).reduce((sum, n) => sum + n, 0);
  if (found !== selected)
    throw new Error(`The books do not balance: ${selected} calls selected, ${found} accounted for.`);
  return { selected, ...tally };
};
