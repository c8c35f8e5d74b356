import type { ReadResult } from "../../core/reading.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { curate } from "../../transforms/curate/curate.ts";
import { createDedupe } from "../../transforms/dedupe/dedupe.ts";
import type { DatasetPlan } from "./plan.ts";

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

/** The part of a plan that decides about calls. */
export type DecisionPlan = Pick<
  DatasetPlan,
  "wanted" | "policy" | "languages" | "status" | "dedupe" | "splits" | "splitOf" | "withinBudget"
>;

/** Whether some preset writes a row per agent turn. */
export const wantsTurns = ({ policy, wanted }: Pick<DatasetPlan, "policy" | "wanted">): boolean =>
  policy.expand === "turn" || wanted.some(({ preset }) => preset.unit === "turn");

/**
Decides call by call, in the archive's order, what becomes of it: curated, held against the calls before it, and fitted
to the budget.
*/
export const createDecide = (plan: DecisionPlan) => {
  const { policy, languages, status, splitOf, withinBudget } = plan;
  // Exact copies teach nothing new; near ones are dropped on demand, and always where they would straddle two splits.
  const copies = plan.dedupe === "none" ? undefined : createDedupe({ exact: true, near: plan.dedupe === "near" });
  const straddling =
    plan.dedupe === "exact" && plan.splits.length > 1
      ? createDedupe({ exact: true, near: true, of: "other-splits" })
      : undefined;
  const perTurn = wantsTurns(plan);
  const perCall = policy.expand !== "turn" && plan.wanted.some(({ preset }) => preset.unit === "call");
  const ids: string[] = [];

  const decide = ({ transcript, counts = {} }: ReadResult): KeptCall | DroppedSample => {
    const drop = (step: string, reason: string): DroppedSample => ({ callId: transcript.id, step, reason });
    if (status && transcript.status?.toLowerCase() !== status.toLowerCase()) return drop("status", "status");
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

    const turns = perTurn ? curate(transcript, { ...policy, expand: "turn" }) : undefined;
    const samples = {
      call: perCall ? whole.samples : [],
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
    if (!withinBudget) return kept;
    for (const unit of ["call", "turn"] as const) samples[unit] = fitted(samples[unit], withinBudget, kept.lost);
    return samples.call.length + samples.turn.length > 0 ? kept : drop("max-tokens", "over-budget");
  };
  return (read: ReadResult): KeptCall | DroppedSample => {
    try {
      return decide(read);
    } catch (error) {
      // A text or a stack has an end. One call that reaches it does not stop the rest.
      if (error instanceof RangeError) return { callId: read.transcript.id, step: "read", reason: TOO_LARGE };
      throw error;
    }
  };
};

const fitted = (
  samples: readonly Sample[],
  withinBudget: NonNullable<DatasetPlan["withinBudget"]>,
  lost: DroppedSample[],
): Sample[] => {
  const kept: Sample[] = [];
  for (const sample of samples) {
    const within = withinBudget(sample.messages);
    if (within) kept.push({ ...sample, ...within });
    else lost.push({ callId: sample.id, step: "max-tokens", reason: "over-budget" });
  }
  return kept;
};
