import type { ReadResult } from "../../core/reading.ts";
import type { Sample } from "../../core/sample.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { canMask } from "../../presets/index.ts";
import type { Refusal } from "../../presets/shape.ts";
import { isHalf, withoutHalfAnswers } from "../../transforms/curate/half-answers.ts";
import { jsonLine } from "../../writers/shape.ts";
import { createDecide, type DecisionPlan, type DroppedCall, type KeptCall } from "./decide.ts";
import { createSqlDecide } from "./decide-sql.ts";
import type { PresetPlan } from "./plan.ts";

/** The reason of calls and samples that are larger than one text can be. */
export const TOO_LARGE = "too-large";

/** A sample as a preset writes it, with the number of half answers that it teaches; or why the preset cannot express it. */
export type PresetRow = {
  wanted: PresetPlan;
  sample: Sample;
  /** The sample that is counted, before the preset cut half answers back. */
  counted: Sample;
} & (
  | { row: JsonObject; line: string; halfAnswers: number; refusal?: undefined }
  | { refusal: Refusal | typeof TOO_LARGE }
);

export type WrittenRow = PresetRow & { refusal?: undefined };

/** A kept call with its rows, preset by preset. */
export interface CallRows extends KeptCall {
  /** Makes the rows while they are iterated. @param isDrawn which samples get a row; all by default */
  rows(isDrawn?: (sample: Sample) => boolean): Iterable<PresetRow>;
}

/**
Makes the rows of all presets from conversations, one conversation at a time.

It reads and writes nothing: the same conversations in the same order give the same rows.
*/
export const createRowMaker = (plan: DecisionPlan): ((read: ReadResult) => CallRows | DroppedCall) => {
  const decide = plan.sql ? createSqlDecide(plan, plan.sql) : createDecide(plan);
  return (read) => {
    const decided = decideSafely(decide, read);
    return "reason" in decided
      ? decided
      : { ...decided, rows: (isDrawn = () => true) => rowsOf(decided, plan, isDrawn) };
  };
};

const decideSafely = (decide: (read: ReadResult) => KeptCall | DroppedCall, read: ReadResult) => {
  try {
    return decide(read);
  } catch (error) {
    // A text or a stack has an end. One call that reaches it does not stop the rest.
    if (error instanceof RangeError) return { callId: read.transcript.id, step: "read", reason: TOO_LARGE };
    throw error;
  }
};

function* rowsOf(
  { samples }: KeptCall,
  { wanted: presets, policy, withinBudget }: DecisionPlan,
  isDrawn: (sample: Sample) => boolean,
): Generator<PresetRow> {
  const isCut = (policy.interrupted ?? "auto") === "auto";
  for (const wanted of presets) {
    const unit = wanted.preset.unit === "turn" || policy.expand === "turn" ? samples.turn : samples.call;
    for (const each of unit) {
      if (!isDrawn(each)) continue;
      const sample = isCut && !canMask(wanted.preset) ? cutBack(each, withinBudget) : each;
      yield { wanted, sample, counted: each, ...rowOf(wanted, sample) };
    }
  }
}

/** The sample for a preset that learns every turn. */
const cutBack = (sample: Sample, withinBudget: DecisionPlan["withinBudget"]): Sample => {
  const messages = withoutHalfAnswers(sample.messages);
  if (messages === sample.messages) return sample;
  const tokens = sample.tokens === undefined ? undefined : withinBudget?.(messages)?.tokens;
  return { ...sample, messages, ...(tokens !== undefined && { tokens }) };
};

/** How many half answers a preset teaches with this sample. */
const halfAnswersIn = ({ preset, options }: PresetPlan, { messages }: Sample): number => {
  const learned = preset.unit === "turn" ? messages.slice(-1) : messages;
  return learned.filter((each) => isHalf(each) && (each.learn !== false || !(options.loss || preset.unit === "turn")))
    .length;
};

const rowOf = (wanted: PresetPlan, sample: Sample) => {
  const { preset, options } = wanted;
  try {
    if (!sample.messages.some(({ role }) => role === "assistant")) return { refusal: "nothing-to-learn" } as const;
    const row = preset.line(sample, options);
    if ("dropped" in row) return { refusal: row.dropped as Refusal };
    return { row, line: jsonLine(row), halfAnswers: halfAnswersIn(wanted, sample) };
  } catch (error) {
    if (error instanceof RangeError) return { refusal: TOO_LARGE } as const;
    throw error;
  }
};
