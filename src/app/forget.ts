import { join } from "node:path";
import { qualifiedId } from "../core/conversation-id.ts";
import { messageOf } from "../core/errors.ts";
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
    const found: string[] = [];
    for (const id of request.ids) {
      const record = await archive.find(id, sources);
      if (!record) {
        unknown += 1;
        log("warn", "missing", { id, message: "The archive does not have it." });
        continue;
      }
      if (record.state !== "pruned") forgotten += writes ? await archive.prune({ id, ...(sources && { sources }) }) : 1;
      if (!writes) log("info", "would-forget", factsOf(record));
      found.push(`${record.source}:${record.id}`);
      for (const { place, format } of await archive.holding(id, sources)) onHolding({ id, format, place });
    }
    await nameRows(await archive.sets(), found, context, onHolding);
    const isClean = writes ? await scrub(archive, request.archive, { host, log }) : true;
    return {
      outcome: !isClean ? "failed" : unknown > 0 ? "partial" : "complete",
      detail: { ...facts, forgotten, unknown },
      forgotten,
      unknown,
    };
  });
};

/** Names the rows of data sets that were made of these conversations. @param ids qualified, those of calls too */
const nameRows = async (
  sets: readonly string[],
  ids: readonly string[],
  { log }: AppContext,
  onHolding: (holding: Holding) => void,
): Promise<void> => {
  if (ids.length === 0) return;
  const { filesOfSet } = await import("./dataset/set-folder.ts");
  const { findInSet } = await import("./dataset/forget/find.ts");
  for (const folder of sets) {
    // It may be gone, or hold something else by now.
    if ((await filesOfSet(folder)) === undefined) continue;
    try {
      const { rows } = await findInSet(folder, ids);
      for (const { conversation, file, row } of rows)
        onHolding({ id: conversation, format: "dataset", place: `${join(folder, file)}:${row}` });
      if (rows.length > 0) log("info", "rows-in-set", { folder, rows: rows.length });
    } catch (error) {
      log("warn", "unreadable-set", { message: `The data set in ${folder} cannot be searched: ${messageOf(error)}` });
    }
  }
};

const factsOf = ({ source, id, state, startedAt, document }: StoredConversation) => ({
  id: qualifiedId({ source, id }),
  state,
  ...(startedAt && { startedAt }),
  bytes: document?.bytes.length ?? 0,
});
