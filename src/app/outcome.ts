import type { RunCounts } from "../core/counts.ts";
import type { RunOutcome } from "./context.ts";
import type { PullResult } from "./pull/fetch.ts";

/** @param uncounted how many of the missing, invalid and failed calls were reported before or acknowledged */
export const outcomeOf = (
  { missing, invalid, failed, pending }: Pick<RunCounts, "missing" | "invalid" | "failed" | "pending">,
  { unlisted, silentAgents, notRefreshed }: Pick<PullResult, "unlisted" | "silentAgents" | "notRefreshed">,
  uncounted: number,
): RunOutcome =>
  missing + invalid + failed - uncounted + pending + unlisted + silentAgents + notRefreshed > 0
    ? "partial"
    : "complete";
