import type { ReadResult } from "../../core/reading.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { curate } from "../../transforms/curate/curate.ts";
import { createCopyFinder } from "./copies.ts";
import type { DatasetPlan } from "./plan.ts";

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

/** A call without samples. */
export interface DroppedCall extends DroppedSample {
  /** The samples that it could have had, if they were dropped one by one. */
  lost?: readonly DroppedSample[];
}

/** The part of a plan that decides about calls. */
export type DecisionPlan = Pick<
  DatasetPlan,
  "wanted" | "policy" | "sql" | "languages" | "status" | "dedupe" | "splits" | "splitOf" | "withinBudget"
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
  const copyOf = createCopyFinder(plan);
  const perTurn = wantsTurns(plan);
  const perCall = policy.expand !== "turn" && plan.wanted.some(({ preset }) => preset.unit === "call");

  return ({ transcript, counts = {} }: ReadResult): KeptCall | DroppedSample => {
    const drop = (step: string, reason: string): DroppedSample => ({ callId: transcript.id, step, reason });
    if (status && transcript.status?.toLowerCase() !== status.toLowerCase()) return drop("status", "status");
    const whole = curate(transcript, { ...policy, expand: "call" });
    if ("reason" in whole) return whole;
    const [first] = whole.samples;
    if (!first) return drop("curate", "no-sample");
    if (languages && !languages.has(first.language)) return drop("language", first.language);
    const split = splitOf(transcript.id);
    const copy = copyOf(transcript.id, first.messages, split);
    if (copy) return { callId: transcript.id, ...copy };

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
};

/** The samples within the budget; the others are added to `lost`. */
export const fitted = (
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
