import type { Reports } from "../core/archive.ts";
import { UsageError } from "../core/errors.ts";
import type { StoredConversation } from "../core/records.ts";
import { isTroubled, TROUBLE } from "../core/state.ts";
import type { AppContext } from "./context.ts";
import type { AckRequest } from "./requests.ts";
import { idsOf, namesIds } from "./selection/selection.ts";
import { type RunResult, withSession } from "./session.ts";

/** The result of acknowledging calls. */
export interface AckResult extends RunResult {
  /** Calls that were changed; with `dryRun`, calls that would be. */
  changed: number;
  /** Named calls that were already in the requested state. */
  unchanged: number;
  /** Names that are not ids, and calls that cannot be acknowledged. */
  refused: number;
}

/**
Acknowledges missing, invalid and failed calls, or undoes that.

@param onDryRun called with `dryRun` for each call that would change
@throws UsageError for an invalid selection
*/
export const runAck = async (
  request: AckRequest,
  context: AppContext,
  onDryRun: (record: StoredConversation) => void,
): Promise<AckResult> => {
  const { host, log } = context;
  const { ids = [], idsFile, all, state, undo = false } = request;
  const many = [all && "--all", state && "--state"].filter(Boolean);
  const byIds = namesIds(request);
  if (byIds && many.length > 0) throw new UsageError(`Name calls or use ${many.join(" ")}, not both.`);
  if (!byIds && many.length === 0)
    throw new UsageError("Nothing is selected. Name calls, give a file of them with --ids, or use --state or --all.");
  const writes = request.dryRun !== true;
  const facts = {
    ...(ids.length > 0 && { ids: [...ids] }),
    ...(idsFile !== undefined && { idsFrom: idsFile }),
    ...(all && { all: true }),
    ...(state && { state }),
    ...(undo && { undo }),
  };
  return withSession(request, context, { command: "ack", facts, writes, create: false }, async ({ archive }) => {
    let refused = 0;
    let unchanged = 0;
    const items = new Set<number>();
    const take = (record: StoredConversation): void => {
      if (items.has(record.item)) return;
      if ((record.acknowledged === true) !== undo) {
        unchanged += 1;
        return;
      }
      items.add(record.item);
      if (!writes) onDryRun(record);
    };
    if (byIds) {
      const onUnreadable = (message: string): void => {
        refused += 1;
        log("warn", "bad-id", { message });
      };
      for await (const id of idsOf(request, host)(onUnreadable)) {
        const record = await archive.find(id);
        const reason = objection(record);
        if (record && reason === undefined) take(record);
        else {
          refused += 1;
          log("warn", "not-acknowledged", { id, message: reason ?? "" });
        }
      }
    } else {
      const states = state ? [state] : TROUBLE;
      for await (const batch of archive.list({ states })) for (const record of batch) take(record);
    }
    if (writes) await settle(archive, [...items], undo);
    const changed = items.size;
    const figure = undo ? "takenBack" : "acknowledged";
    return {
      outcome: refused > 0 ? "partial" : "complete",
      detail: { ...facts, [figure]: changed, refused },
      changed,
      unchanged,
      refused,
    };
  });
};

const settle = (archive: Reports, items: readonly number[], undo: boolean): Promise<void> =>
  undo ? archive.takeBack(items) : archive.acknowledge(items);

/** Why a call cannot be acknowledged; undefined if it can. */
const objection = (record: StoredConversation | undefined): string | undefined => {
  if (!record) return "The archive does not have it.";
  if (isTroubled(record.state)) return undefined;
  return `It is ${record.state}. Only ${TROUBLE.slice(0, -1).join(", ")} or ${TROUBLE.at(-1)} calls can be acknowledged.`;
};
