import type { DroppedSample, Message } from "../../core/sample.ts";
import { createDedupe } from "../../transforms/dedupe/dedupe.ts";
import type { DatasetPlan } from "./plan.ts";

/** Finds copies of what was kept before. The finder gives why something is dropped, or undefined if it is kept. */
export const createCopyFinder = ({ dedupe, splits }: Pick<DatasetPlan, "dedupe" | "splits">) => {
  // Exact copies teach nothing new; near ones are dropped on demand, and always where they would straddle two splits.
  const copies = dedupe === "none" ? undefined : createDedupe({ exact: true, near: dedupe === "near" });
  const straddling =
    dedupe === "exact" && splits.length > 1 ? createDedupe({ exact: true, near: true, of: "other-splits" }) : undefined;
  const ids: string[] = [];
  return (id: string, messages: readonly Message[], split: string): Omit<DroppedSample, "callId"> | undefined => {
    const number = ids.push(id) - 1;
    // What would straddle goes first: what is not kept is nothing that others could be copies of.
    const twin = straddling?.add(number, messages, split) ?? copies?.add(number, messages, split);
    return twin && { step: "dedupe", reason: `${twin.kind}-duplicate`, of: ids[twin.of] ?? "" };
  };
};
