import type { Archive } from "../../core/archive.ts";
import { sumOf } from "../../core/counts.ts";
import type { AppContext } from "../context.ts";
import type { PullRequest } from "../requests.ts";
import type { Selection } from "../selection/selection.ts";
import { askedFor } from "./fetch.ts";

/** Logs how far a run came that ended early: nothing that was stored is lost. */
export const reportStopped = async (
  request: PullRequest,
  { log }: AppContext,
  archive: Archive,
  selection: Selection,
): Promise<void> => {
  const counts = await archive.counts();
  const asked = askedFor(selection, request);
  log("info", "stopped", {
    ...(asked !== undefined && { asked }),
    selected: sumOf(counts),
    ...counts,
    keeps: request.archive !== false,
  });
};
