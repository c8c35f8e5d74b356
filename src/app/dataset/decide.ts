import { InvalidDocument, messageOf } from "../../core/errors.ts";
import type { Document, StoredRecord } from "../../core/records.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { callTranscript } from "../../parse/call-log.ts";
import { curate } from "../../transforms/curate/curate.ts";
import { createDedupe } from "../../transforms/dedupe/dedupe.ts";
import { type DatasetPlan, withinBudget } from "./plan.ts";
import type { DatasetRequest } from "./request.ts";

/** The reason of calls and samples that are larger than one text can be. */
export const TOO_LARGE = "too-large";

/** What a call gives. */
export interface KeptCall {
  callId: string;
  split: string;
  changes: readonly string[];
  /** By what a row of a preset is made of; only what some preset wants. */
  samples: { call: Sample[]; turn: Sample[] };
  /** Samples that were lost on the way, of a call that kept others. */
  lost: DroppedSample[];
  /** What was redacted, by kind. */
  redacted: Partial<Record<string, number>>;
}

/**
Decides call by call, in the archive's order, what becomes of it: redacted, curated, held against the calls before it,
and fitted to the budget.
*/
export const createDecide = (plan: DatasetPlan, request: Pick<DatasetRequest, "dedupe" | "status">) => {
  const { policy, languages, splitOf, budget } = plan;
  // Exact copies teach nothing new; near ones are dropped on demand, and always where they would straddle two splits.
  const copies = request.dedupe === "none" ? undefined : createDedupe({ exact: true, near: request.dedupe === "near" });
  const straddling =
    request.dedupe === "exact" && plan.splits.length > 1
      ? createDedupe({ exact: true, near: true, of: "other-splits" })
      : undefined;
  const wantsTurns = policy.expand === "turn" || plan.wanted.some(({ preset }) => preset.unit === "turn");
  const wantsCalls = policy.expand !== "turn" && plan.wanted.some(({ preset }) => preset.unit === "call");
  const ids: string[] = [];

  const decide = async (record: StoredRecord & { document: Document }): Promise<KeptCall | DroppedSample> => {
    const read = readOf(record);
    if ("reason" in read) return read;
    const drop = (step: string, reason: string): DroppedSample => ({ callId: read.id, step, reason });
    if (request.status && read.status?.toLowerCase() !== request.status.toLowerCase()) return drop("status", "status");
    const { transcript, counts } = plan.redact?.(read) ?? { transcript: read, counts: {} };
    const whole = curate(transcript, { ...policy, expand: "call" });
    if ("reason" in whole) return whole;
    const [first] = whole.samples;
    if (!first) return drop("curate", "no-sample");
    if (languages && !languages.has(first.language)) return drop("language", first.language);
    const split = splitOf(transcript.id);
    const number = ids.push(transcript.id) - 1;
    // What would straddle goes first: a call that is not kept is no call that others could be copies of.
    const twin = straddling?.add(number, first.messages, split) ?? copies?.add(number, first.messages, split);
    if (twin) return { ...drop("dedupe", `${twin.kind}-duplicate`), of: ids[twin.of] ?? "" };

    const turns = wantsTurns ? curate(transcript, { ...policy, expand: "turn" }) : undefined;
    const samples = {
      call: wantsCalls ? whole.samples : [],
      turn: turns && "samples" in turns ? turns.samples : [],
    };
    const kept: KeptCall = {
      callId: transcript.id,
      split,
      changes: whole.changes,
      samples,
      lost: [],
      redacted: counts,
    };
    if (!budget) return kept;
    for (const unit of ["call", "turn"] as const) samples[unit] = await fitted(samples[unit], budget, kept.lost);
    return samples.call.length + samples.turn.length > 0 ? kept : drop("max-tokens", "over-budget");
  };
  return async (record: StoredRecord & { document: Document }): Promise<KeptCall | DroppedSample> => {
    try {
      return await decide(record);
    } catch (error) {
      // A text or a stack has an end. One call that reaches it does not stop the rest.
      if (error instanceof RangeError) return { callId: record.id, step: "read", reason: TOO_LARGE };
      throw error;
    }
  };
};

const readOf = (record: StoredRecord & { document: Document }) => {
  try {
    return callTranscript(record);
  } catch (error) {
    if (error instanceof InvalidDocument) return { callId: record.id, step: "read", reason: messageOf(error) };
    throw error;
  }
};

const fitted = async (
  samples: Sample[],
  budget: NonNullable<DatasetPlan["budget"]>,
  lost: DroppedSample[],
): Promise<Sample[]> => {
  const kept: Sample[] = [];
  for (const sample of samples) {
    const within = await withinBudget(sample.messages, budget);
    if (within) kept.push({ ...sample, ...within });
    else lost.push({ callId: sample.id, step: "max-tokens", reason: "over-budget" });
  }
  return kept;
};
