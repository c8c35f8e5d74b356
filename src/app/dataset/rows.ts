import type { ReadResult } from "../../core/reading.ts";
import type { Sample } from "../../core/sample.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { Refusal } from "../../presets/shape.ts";
import { jsonLine } from "../../writers/shape.ts";
import { createDecide, type DecisionPlan, type DroppedCall, type KeptCall } from "./decide.ts";
import { createSqlDecide } from "./decide-sql.ts";
import type { PresetPlan } from "./plan.ts";

/** The reason of calls and samples that are larger than one text can be. */
export const TOO_LARGE = "too-large";

/** A sample as a preset writes it, or why the preset cannot express it. */
export type PresetRow = { wanted: PresetPlan; sample: Sample } & (
  | { row: JsonObject; line: string; refusal?: undefined }
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
  { wanted: presets, policy }: DecisionPlan,
  isDrawn: (sample: Sample) => boolean,
): Generator<PresetRow> {
  for (const wanted of presets) {
    const unit = wanted.preset.unit === "turn" || policy.expand === "turn" ? samples.turn : samples.call;
    for (const sample of unit) if (isDrawn(sample)) yield { wanted, sample, ...rowOf(wanted, sample) };
  }
}

const rowOf = ({ preset, options }: PresetPlan, sample: Sample) => {
  try {
    const row = preset.line(sample, options);
    return "dropped" in row ? { refusal: row.dropped as Refusal } : { row, line: jsonLine(row) };
  } catch (error) {
    if (error instanceof RangeError) return { refusal: TOO_LARGE } as const;
    throw error;
  }
};
