import type { Sample } from "../core/sample.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Rule } from "./checks/rule.ts";

/** What a preset can express; a sample that needs more is refused with a named reason. */
export interface Abilities {
  system: boolean;
  /** How it says that a turn is not to be learned; absent where it cannot. */
  loss?: { key: string; on: "assistants" | "every" };
  /** Calls of tools and their results. */
  tools: boolean;
  /** The model's reasoning. */
  reasoning: boolean;
  /** Samples that begin with the agent. */
  greetingFirst: boolean;
  /** User turns without text, as padding before a greeting. */
  emptyUser: boolean;
  /** `content` as a list of parts, if that is asked for. */
  parts?: true;
  /** Thinking models' `<think>` before each answer, if that is asked for. */
  think?: true;
}

export interface PresetOptions {
  /**
  Write the loss key: into every row, so the same for a whole data set, or rows differ in their columns and some readers
  crash. `needsOf(policy).loss` says when.

  @default false
  */
  loss?: boolean;
  /** bailian: `content` as `[{"text": …}]`, as one page of its documentation has it. @default false */
  parts?: boolean;
  /**
  bailian, for thinking models: before each answer `<think>` with the reasoning that the source has, or an `empty` one,
  which means "do not think". Absent: nothing.
  */
  think?: "empty" | "reasoning";
}

/**
Why a preset cannot express a sample.

- `tool-calls`: the sample has calls of tools.
- `greeting-first`: it begins with the agent.
- `empty-user`: it has a user turn without text.
- `nothing-to-learn`: no turn of it, or not its last, is to be learned.
- `tool-call-with-text`, `parallel-tool-results`: words beside a call, several results in a row.
- `tool-arguments-not-json`: the arguments of a call are not a JSON object.
*/
export type Refusal =
  | "tool-calls"
  | "greeting-first"
  | "empty-user"
  | "nothing-to-learn"
  | "tool-call-with-text"
  | "parallel-tool-results"
  | "tool-arguments-not-json";

export interface Refused {
  dropped: Refusal;
}

/** A file of the data set, by its name inside the folder. */
export interface SplitFile {
  /** `train`, `validation`, `test`. */
  split: string;
  name: string;
}

export interface Preset {
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Who reads such files. */
  readonly reader: string;
  readonly can: Abilities;
  /** What its rows are like, for those who guess a file's preset. */
  readonly rows: "messages" | "conversations" | "prompt" | "columns";
  /** A row is made of a whole call, or of one agent turn: then it wants samples that were expanded. */
  readonly unit: "call" | "turn";
  /** What loads the files: Hugging Face `datasets`, with its rules for folders, or an upload. */
  readonly loader: "datasets" | "upload";
  readonly advice: {
    /** Fewer samples are refused (`least`) or too few to be of use (`wanted`). */
    least?: number;
    wanted?: number;
    /** What the trainer does, by default, past so many tokens. */
    tokens?: { limit: number; setting: string; beyond: "truncated" | "dropped" };
  };
  /** Larger files are refused: split before. */
  readonly maxFileBytes?: number;
  /** The reader does not unpack `.jsonl.gz`. */
  readonly plainOnly?: true;
  /** Lines without anything in them stop the reader. */
  readonly noBlankLines?: true;
  line(sample: Sample, options?: PresetOptions): JsonObject | Refused;
  /** What every file must keep to, ours or not. */
  readonly rules: readonly Rule[];
  /** Files to put beside the data. */
  sidecars?(files: readonly SplitFile[]): { name: string; text: string }[];
}
