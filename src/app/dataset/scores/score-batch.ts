import { hasDocument, readOrReason } from "../../../core/reading.ts";
import type { StoredConversation } from "../../../core/records.ts";
import type { DatasetPlan } from "../plan.ts";
import { createRowMaker } from "../rows.ts";

/** Asks the score command about all samples of a batch, before they pass the gate. Does nothing without such a command. */
export const scoreBatch = async (
  plan: DatasetPlan,
  batch: readonly StoredConversation[],
  signal: AbortSignal,
): Promise<void> => {
  const { scores, reader } = plan;
  if (!scores?.asking) return;
  // What comes behind the gate is left out: it remembers the conversations before.
  const make = createRowMaker({
    ...plan,
    dedupe: "none",
    exclusions: undefined,
    withinBudget: undefined,
    scores: { ...scores, gate: scores.asking.collect },
  });
  for (const record of batch) {
    const read = hasDocument(record) ? readOrReason(reader.read, record) : undefined;
    if (read && !("unreadable" in read)) make(read);
  }
  await scores.asking.ask(signal);
};
