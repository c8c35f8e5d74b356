import type { ToolCall } from "./transcript.ts";

/** What a dialog can be in, by its script. */
export const LANGUAGES = ["zh", "en", "mixed", "other"] as const;
export type Language = (typeof LANGUAGES)[number];

/** One message of a fine-tuning sample, before a preset gives it its final shape. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
  /** False where the model must not learn from it (a greeting, an interrupted answer); presets say how, if they can. */
  learn?: boolean;
  reasoning?: string;
  toolCalls?: ToolCall[];
  toolCallId?: string;
  /** Ids of the turns that it was made from, and when the first began, in seconds: for the provenance, never written. */
  turns?: { id: string; begin?: number }[];
}

/** One fine-tuning example. */
export interface Sample {
  /** The call's id; with `--expand`, and `#` and the number of the agent turn that it ends on, from 1. */
  id: string;
  callId: string;
  messages: Message[];
  /** By the script of its dialog: which one most of its letters are of. */
  language: Language;
  /** By the chosen tokenizer through the chat template; absent when nobody counted. */
  tokens?: number;
  /** Seconds; absent when unknown. */
  durationSeconds?: number;
}

/** Why a call gives no sample: the step that dropped it and a stable short code. */
export interface DroppedSample {
  callId: string;
  step: string;
  reason: string;
  /** The call that it is a copy of. */
  of?: string;
}

/** What became of a transcript that gives at most one sample. Reasons and changes are stable short codes. */
export type SampleResult<Reason extends string = string, Change extends string = string> =
  | { messages: Message[]; changes: Change[] }
  | { dropped: Reason };
