import type { StoredConversation } from "../core/records.ts";
import type { AppContext } from "./context.ts";
import type { ForgetRequest } from "./requests.ts";
import { scrub } from "./scrub.ts";
import { type RunResult, withSession } from "./session.ts";

/** The result of an erasure: `failed` if deleted bytes are still in the file. */
export interface ForgetResult extends RunResult {
  forgotten: number;
  /** Ids that the archive does not have. */
  unknown: number;
}

/** An output that still contains a call. */
export interface Holding {
  id: string;
  format: string;
  place: string;
}

/**
Deletes the content of calls from the archive at once. Only the id stays in the file.

@param onHolding called for each output that still contains a call
*/
export const runForget = async (
  request: ForgetRequest,
  context: AppContext,
  onHolding: (holding: Holding) => void,
): Promise<ForgetResult> => {
  const { log } = context;
  const facts = { ids: [...request.ids] };
  const writes = request.dryRun !== true;
  const options = { command: "forget", facts, writes, create: false, scrubs: true };
  return withSession(request, context, options, async ({ archive }) => {
    let forgotten = 0;
    let unknown = 0;
    for (const id of request.ids) {
      const record = await archive.find(id);
      if (!record) {
        unknown += 1;
        log("warn", "missing", { id, message: "The archive does not have it." });
        continue;
      }
      if (record.state !== "pruned") forgotten += writes ? await archive.prune({ id }) : 1;
      if (!writes) log("info", "would-forget", factsOf(record));
      for (const { place, format } of await archive.holding(id)) onHolding({ id, format, place });
    }
    const isClean = writes ? await scrub(archive, request.archive, log) : true;
    return {
      outcome: !isClean ? "failed" : unknown > 0 ? "partial" : "complete",
      detail: { ...facts, forgotten, unknown },
      forgotten,
      unknown,
    };
  });
};

const factsOf = ({ id, state, startedAt, document }: StoredConversation) => ({
  id,
  state,
  ...(startedAt && { startedAt }),
  bytes: document?.bytes.length ?? 0,
});
