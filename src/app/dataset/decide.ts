import { qualifiedId } from "../../core/conversation-id.ts";
import type { ReadResult } from "../../core/reading.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { canMask, type Preset } from "../../presets/index.ts";
import { curate, type Policy, turnSamples } from "../../transforms/curate/curate.ts";
import { brokenRule } from "../../transforms/quality/quality.ts";
import type { DatasetPlan } from "./plan.ts";
import { createSettle } from "./settle.ts";

/** What a call gives. */
export interface KeptCall {
  callId: string;
  split: string;
  changes: readonly string[];
  /** How long it lasted; absent when unknown. */
  seconds?: number;
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
  | "wanted"
  | "policy"
  | "sql"
  | "languages"
  | "status"
  | "dedupe"
  | "dedupeThreshold"
  | "exclusions"
  | "splits"
  | "splitOf"
  | "withinBudget"
  | "maxCharacters"
  | "quality"
  | "scores"
>;

/** Whether some preset writes a row per agent turn. */
export const wantsTurns = ({ policy, wanted }: Pick<DatasetPlan, "policy" | "wanted">): boolean =>
  policy.expand === "turn" || wanted.some(({ preset }) => preset.unit === "turn");

/** Whether some preset writes a row per call; then these samples are counted. */
export const wantsCalls = ({ policy, wanted }: Pick<DatasetPlan, "policy" | "wanted">): boolean =>
  policy.expand !== "turn" && wanted.some(({ preset }) => preset.unit === "call");

/** Whether the samples of whole calls or entries are counted in a finished data set; otherwise those of turns. */
export const countsCalls = ({
  task,
  presets,
  policies,
}: {
  task: string;
  presets: readonly Preset[];
  policies: Readonly<Record<string, unknown>>;
}): boolean => task === "chat" && policies.expand !== "turn" && presets.some(({ unit }) => unit === "call");

/**
Decides call by call, in the archive's order, what becomes of it: curated, expanded, then each sample is held against those
before it and fitted to the budget.

The samples of whole calls and those of turns are settled apart, so that the rows of a preset do not depend on which other
presets are wanted.
*/
export const createDecide = (plan: DecisionPlan) => {
  const { languages, status, splitOf } = plan;
  const policy = policyFor(plan);
  const [perCall, perTurn] = [wantsCalls(plan), wantsTurns(plan)];
  const settled = { ...plan, isMixed: policy.interrupted === "auto" };
  const settle = { call: createSettle(settled, "call"), turn: createSettle(settled, "turn") };

  return ({ transcript, counts = {}, participants = transcript.participants }: ReadResult): KeptCall | DroppedCall => {
    const callId = transcript.id;
    const drop = (step: string, reason: string): DroppedCall => ({ callId, step, reason });
    if (status && transcript.status?.toLowerCase() !== status.toLowerCase()) return drop("status", "status");
    const broken = plan.quality && brokenRule(transcript, plan.quality);
    if (broken) return drop("quality", broken);
    const whole = curate(transcript, { ...policy, expand: "call" });
    if ("reason" in whole) return whole;
    const [first] = whole.samples;
    if (!first) return drop("curate", "no-sample");
    if (languages && !languages.has(first.language)) return drop("language", first.language);
    const origin = { conversation: qualifiedId(transcript), split: splitOf({ ...transcript, participants }) };
    const lost: DroppedSample[] = [];
    const samples: KeptCall["samples"] = { call: [], turn: [] };
    if (perCall) samples.call = settle.call({ ...origin, samples: whole.samples }, lost);
    if (perTurn) {
      const turns = turnSamples(first);
      if (turns === undefined) lost.push({ callId, unit: "turn", step: "expand", reason: "too-many-turns" });
      else samples.turn = settle.turn({ ...origin, samples: turns }, lost);
    }
    if (samples.call.length + samples.turn.length === 0) return withoutSample(callId, lost, perTurn);
    const seconds = transcript.durationSeconds;
    return {
      callId,
      split: origin.split,
      changes: whole.changes,
      ...(seconds !== undefined && { seconds }),
      samples,
      interrupted: transcript.turns.filter(({ interrupted }) => interrupted).length,
      lost,
      redacted: counts,
    };
  };
};

/** Where all presets are alike, `auto` is what these do: then samples are what is written, also for limits and tokens. */
const policyFor = ({ policy, wanted }: Pick<DatasetPlan, "policy" | "wanted">): Policy => {
  if ((policy.interrupted ?? "auto") !== "auto") return policy;
  const masking = wanted.filter(({ preset }) => canMask(preset)).length;
  return { ...policy, interrupted: masking === 0 ? "clause" : masking === wanted.length ? "mask" : "auto" };
};

/** @param expanded name its samples one by one, too */
const withoutSample = (callId: string, lost: readonly DroppedSample[], expanded: boolean): DroppedCall => {
  const [first] = lost;
  if (!first) return { callId, step: "learning", reason: "nothing-to-learn" };
  const { step, reason, of } = first;
  if (!expanded) return { callId, step, reason, ...(of !== undefined && { of }) };
  const same = lost.every((other) => other.step === step && other.reason === reason);
  return { callId, ...(same ? { step, reason } : { step: "samples", reason: "no-sample" }), lost };
};
