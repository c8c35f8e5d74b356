import type { DroppedSample, Sample } from "../../../core/sample.ts";

/** Samples of a conversation that ask for admission. */
export interface Applicants {
  /** Its qualified id. */
  conversation: string;
  samples: readonly Sample[];
}

/** Gives samples their scores, and adds those that are not admitted to `lost`. */
export type ScoreGate = (
  applicants: Applicants,
  unit: NonNullable<DroppedSample["unit"]>,
  lost: DroppedSample[],
) => readonly Sample[];

/** The scores of a run. */
export interface Scores {
  gate: ScoreGate;
  /** Only with a command, because it cannot be asked while samples pass the gate. */
  asking?: {
    /** Admits nothing: it collects the samples that the command has to be asked about. */
    collect: ScoreGate;
    /** Asks about what was collected; until the next time, `gate` knows the scores. */
    ask(signal: AbortSignal): Promise<void>;
  };
  close(): Promise<void>;
}
