import type { AppContext } from "./context.ts";
import type { PruneRequest } from "./requests.ts";
import { scrub } from "./scrub.ts";
import { type RunResult, withSession } from "./session.ts";

/** The result of pruning: `failed` if deleted bytes are still in the file. */
export interface PruneResult extends RunResult {
  /** Conversations that were deleted; with `dryRun`, those that would be. */
  calls: number;
  /** Selects conversations that started before this time. */
  until: Date;
}

const DAY_MS = 86_400_000;

/** Deletes the documents of old conversations. Their ids stay, so that they are not fetched again. */
export const runPrune = async (request: PruneRequest, context: AppContext): Promise<PruneResult> => {
  const { host, log } = context;
  const until = new Date(host.now().getTime() - request.olderThan * DAY_MS);
  const { agents, sources } = request;
  const filter = {
    until,
    states: ["fetched", "invalid"] as const,
    ...(agents && { agents }),
    ...(sources && { sources }),
  };
  const facts = {
    olderThan: `${request.olderThan}d`,
    until: until.toISOString(),
    ...(sources && { sources: [...sources] }),
  };
  const writes = request.dryRun !== true;
  const options = { command: "prune", facts, writes, create: false, scrubs: true };
  return withSession(request, context, options, async ({ archive }) => {
    let calls = 0;
    let isClean = true;
    if (writes) {
      calls = await archive.prune(filter);
      isClean = await scrub(archive, request.archive, { host, log });
    } else for await (const batch of archive.list(filter)) calls += batch.length;
    return { outcome: isClean ? "complete" : "failed", detail: { ...facts, pruned: calls }, calls, until };
  });
};
