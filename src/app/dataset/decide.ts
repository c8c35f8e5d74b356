import type { ReadResult } from "../../core/reading.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { canMask } from "../../presets/index.ts";
import { curate, type Policy } from "../../transforms/curate/curate.ts";
import { withoutHalfAnswers } from "../../transforms/curate/half-answers.ts";
import { createCopyFinder } from "./copies.ts";
import type { DatasetPlan } from "./plan.ts";

/** What a call gives. */
export interface KeptCall {
  callId: string;
  split: string;
  changes: readonly string[];
  /** By what a row of a preset is made of; only what some preset wants. */
  samples: { call: Sample[]; turn: Sample[] };
  /** How many answers the caller cut off. */
  interrupted?: number;
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
  const { languages, status, splitOf, withinBudget } = plan;
  const policy = policyFor(plan);
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
    // Some presets write the messages without half answers, so calls that differ only in these are copies.
    const written = policy.interrupted === "auto" ? withoutHalfAnswers(first.messages) : first.messages;
    const copy = copyOf(transcript.id, written, split);
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
      interrupted: transcript.turns.filter(({ interrupted }) => interrupted).length,
      lost: [],
      redacted: counts,
    };
    if (samples.call.length + samples.turn.length === 0) return drop("learning", "nothing-to-learn");
    if (!withinBudget) return kept;
    for (const unit of ["call", "turn"] as const) samples[unit] = fitted(samples[unit], withinBudget, kept.lost);
    return samples.call.length + samples.turn.length > 0 ? kept : drop("max-tokens", "over-budget");
  };
};

/** Where all presets are alike, `auto` is what these do: then samples are what is written, also for limits and tokens. */
const policyFor = ({ policy, wanted }: Pick<DatasetPlan, "policy" | "wanted">): Policy => {
  if ((policy.interrupted ?? "auto") !== "auto") return policy;
  const masking = wanted.filter(({ preset }) => canMask(preset)).length;
  return { ...policy, interrupted: masking === 0 ? "clause" : masking === wanted.length ? "mask" : "auto" };
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
