import type { Sample } from "../core/sample.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Rule } from "./checks/rule.ts";

/** What a preset can express; a sample that needs more is dropped with a reason. */
export interface Abilities {
  /** The key that says whether a turn is learned; absent if the preset has none. */
  loss?: { key: string; on: "assistants" | "every" };
  /** Tool calls and their results. */
  tools: boolean;
  /** Samples that begin with the agent. */
  greetingFirst: boolean;
  /** User turns without text, as padding before a greeting. */
  emptyUser: boolean;
  /** Can write `content` as a list of parts. */
  parts?: true;
  /** Can write `<think>` before each answer, for thinking models. */
  think?: true;
}

export interface PresetOptions {
  /**
  Write the loss key into every row. The same for a whole data set, because some readers crash if rows have different
  columns. `needsOf(policy).loss` decides.

  @default false
  */
  loss?: boolean;
  /** bailian: `content` as `[{"text": …}]`, as in one page of its documentation. @default false */
  parts?: boolean;
  /**
  bailian, for thinking models: `<think>` before each answer, with the source's reasoning or `empty`, which means "do not
  think". Absent: no `<think>`.
  */
  think?: "empty" | "reasoning";
}

/**
Why a preset cannot express a sample.

- `tool-calls`: the sample has calls of tools.
- `greeting-first`: it begins with the agent.
- `empty-user`: it has a user turn without text.
- `nothing-to-learn`: no turn is learned, or the last one is not.
- `tool-call-with-text`, `parallel-tool-results`: a call has text too; several results follow each other.
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

/** A sample that the preset cannot express. */
export interface Rejection {
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
  /** The program that reads such files. */
  readonly reader: string;
  readonly can: Abilities;
  /** The shape of its rows, to guess the preset of a file. */
  readonly rows: "messages" | "conversations" | "prompt" | "columns";
  /** A row is made of a whole call, or of one agent turn; then the samples must be expanded. */
  readonly unit: "call" | "turn";
  /** What loads the files: Hugging Face `datasets`, with its rules for folders, or an upload. */
  readonly loader: "datasets" | "upload";
  /** Larger files are refused, so they are split. */
  readonly maxFileBytes?: number;
  /** The reader does not unpack `.jsonl.gz`. */
  readonly plainOnly?: true;
  /** The reader takes placeholders such as `<image>`, as many as the row has files. */
  readonly media?: true;
  /** Empty lines stop the reader. */
  readonly noBlankLines?: true;
  line(sample: Sample, options?: PresetOptions): JsonObject | Rejection;
  /** The rules for every file, also of other tools. */
  readonly rules: readonly Rule[];
  /** Files to write beside the data. */
  sidecars?(files: readonly SplitFile[]): { name: string; text: string }[];
}
