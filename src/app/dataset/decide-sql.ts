import { qualifiedId } from "../../core/conversation-id.ts";
import type { ReadResult } from "../../core/reading.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { createTokenGuard } from "../../transforms/curate/control-tokens.ts";
import { type SqlPolicy, textToSql } from "../../transforms/sql/text-to-sql.ts";
import type { DecisionPlan, DroppedCall, KeptCall } from "./decide.ts";
import { createSettle } from "./settle.ts";

/**
Decides conversation by conversation, in the archive's order, which entries of the query log become samples.

Each entry is a sample or is lost with a reason. A sample has one answer, so it is a row of every preset.
*/
export const createSqlDecide = (plan: DecisionPlan, sql: SqlPolicy) => {
  const { languages, status, splitOf, policy } = plan;
  const settle = createSettle(plan, "entry");
  return ({ transcript, counts = {}, participants = transcript.participants }: ReadResult): KeptCall | DroppedCall => {
    const callId = transcript.id;
    if (transcript.source !== "queries") return { callId, step: "source", reason: "other-source" };
    if (status && transcript.status?.toLowerCase() !== status.toLowerCase())
      return { callId, step: "status", reason: "status" };
    const split = splitOf({ ...transcript, participants });
    const found: Sample[] = [];
    const lost: DroppedSample[] = [];
    const changes = new Set<string>();
    for (const entry of textToSql(transcript, sql)) {
      const made = withoutTokens(entry, policy, changes);
      if ("reason" in made) lost.push({ ...made, unit: "entry" });
      else if (languages && !languages.has(made.language))
        lost.push({ callId: made.id, unit: "entry", step: "language", reason: made.language });
      else found.push(made);
    }
    const samples = settle({ conversation: qualifiedId(transcript), split, samples: found }, lost);
    if (samples.length === 0) return { callId, step: "entries", reason: "no-sample", lost };
    return { callId, split, changes: [...changes], samples: { call: samples, turn: samples }, lost, redacted: counts };
  };
};

const withoutTokens = (
  entry: Sample | DroppedSample,
  { specialTokens = "escape" }: DecisionPlan["policy"],
  changes: Set<string>,
): Sample | DroppedSample => {
  if ("reason" in entry) return entry;
  const safe = createTokenGuard(specialTokens).finish(entry.messages);
  if ("dropped" in safe) return { callId: entry.id, step: "special-tokens", reason: safe.dropped };
  for (const change of safe.changes) changes.add(change);
  return { ...entry, messages: safe.messages };
};
