import type { Ledger, Reader, Reports } from "../../core/archive.ts";
import { sumOf } from "../../core/counts.ts";
import type { AppContext } from "../context.ts";
import type { PullRequest } from "../requests.ts";
import type { Selection } from "../selection/selection.ts";
import { expectedCalls } from "./fetch.ts";

/** Logs how many calls a run handled that ended early; stored calls are not lost. */
export const reportStopped = async (
  request: PullRequest,
  { log }: AppContext,
  archive: Ledger & Reader & Reports,
  selection: Selection,
): Promise<void> => {
  const counts = await archive.counts();
  const asked = expectedCalls(selection, request);
  log("info", "stopped", {
    ...(asked !== undefined && { asked }),
    selected: sumOf(counts),
    ...counts,
    keeps: request.archive !== false,
  });
};
