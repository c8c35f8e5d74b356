import { qualifiedId } from "../core/conversation-id.ts";
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

/** An output that still contains a conversation. */
export interface Holding {
  id: string;
  format: string;
  place: string;
}

/**
Deletes the content of conversations from the archive at once. Only the ids stay in the file.

@param onHolding called for each output that still contains one of them
@throws UsageError for an id that means several conversations, before anything is deleted
*/
export const runForget = async (
  request: ForgetRequest,
  context: AppContext,
  onHolding: (holding: Holding) => void,
): Promise<ForgetResult> => {
  const { host, log } = context;
  const { sources } = request;
  const facts = { ids: [...request.ids], ...(sources && { sources: [...sources] }) };
  const writes = request.dryRun !== true;
  const options = { command: "forget", facts, writes, create: false, scrubs: true };
  return withSession(request, context, options, async ({ archive }) => {
    // An id that means several conversations is an error before anything is deleted.
    for (const id of request.ids) await archive.find(id, sources);
    let forgotten = 0;
    let unknown = 0;
    for (const id of request.ids) {
      const record = await archive.find(id, sources);
      if (!record) {
        unknown += 1;
        log("warn", "missing", { id, message: "The archive does not have it." });
        continue;
      }
      if (record.state !== "pruned") forgotten += writes ? await archive.prune({ id, ...(sources && { sources }) }) : 1;
      if (!writes) log("info", "would-forget", factsOf(record));
      for (const { place, format } of await archive.holding(id, sources)) onHolding({ id, format, place });
    }
    const isClean = writes ? await scrub(archive, request.archive, { host, log }) : true;
    return {
      outcome: !isClean ? "failed" : unknown > 0 ? "partial" : "complete",
      detail: { ...facts, forgotten, unknown },
      forgotten,
      unknown,
    };
  });
};

const factsOf = ({ source, id, state, startedAt, document }: StoredConversation) => ({
  id: qualifiedId({ source, id }),
  state,
  ...(startedAt && { startedAt }),
  bytes: document?.bytes.length ?? 0,
});
