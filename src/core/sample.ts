import type { ToolCall } from "./transcript.ts";

/** What a dialog can be in, by its script. */
export const LANGUAGES = ["zh", "en", "mixed", "other"] as const;
export type Language = (typeof LANGUAGES)[number];

/** What a data set teaches. */
export const TASKS = ["chat", "text-to-sql"] as const;
export type Task = (typeof TASKS)[number];

/** What is never in two splits of a data set. */
export const SPLIT_UNITS = ["conversation", "caller", "agent", "session"] as const;
export type SplitUnit = (typeof SPLIT_UNITS)[number];

/** One message of a fine-tuning sample, before a preset gives it its final shape. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  /** False when the model must not learn from it (a greeting, an interrupted answer), if the preset can express it. */
  learn?: boolean;
  reasoning?: string;
  toolCalls?: ToolCall[];
  toolCallId?: string;
  /**
  Only on an answer that the caller cut off: the part of `content` that is whole sentences or clauses, perhaps none. For
  presets that cannot exclude a turn from learning; never written beside `content`.
  */
  whole?: string;
  /** The turns that it was made from, with their begin in seconds. For provenance; never written. */
  turns?: { id: string; begin?: number }[];
}

/** One fine-tuning example. */
export interface Sample {
  /**
  The call's id; with `--expand` followed by `#` and the number of its last agent turn, from 1. Of the query log followed
  by `#` and the number of the entry in its conversation, from 1.
  */
  id: string;
  callId: string;
  messages: Message[];
  /** The script that most letters of the dialog belong to. */
  language: Language;
  /** Tokens by the chosen tokenizer with the chat template; absent when they were not counted. */
  tokens?: number;
  /** Seconds; absent when unknown. */
  durationSeconds?: number;
  /** What a command or people gave it; absent when nobody did. */
  score?: number;
}

/** Why a call or a sample was dropped: the step that dropped it, and a stable short code. */
export interface DroppedSample {
  /** The call's id, or with a `unit` the sample's. */
  callId: string;
  /** Only a sample was dropped: of a whole call, of an agent turn, or of an entry of the query log. */
  unit?: "call" | "turn" | "entry";
  step: string;
  reason: string;
  /** What it is a copy of: the sample by its qualified id, or the row of an excluded file. */
  of?: string;
}

/** The sample of a transcript, or why it was dropped. Reasons and changes are stable short codes. */
export type SampleResult<Reason extends string = string, Change extends string = string> =
  | { messages: Message[]; changes: Change[] }
  | { dropped: Reason };
