import type { SampleResult } from "../../core/sample.ts";
import type { Transcript, Turn } from "../../core/transcript.ts";
import { tell } from "./curate.ts";
import type { Change, DropReason, Policy } from "./policy.ts";

/** The policies that plain chat messages have a place for. */
export interface VoicePolicy {
  /** See `Policy`. @default "system" */
  greeting?: "system" | "drop" | "pad";
  /** The system prompt: the call's `own`, `none`, or a fixed text. See `Policy`. @default "own" */
  system?: "own" | "none" | { text: string };
  /** See `Policy`. @default "cut" */
  interrupted?: "cut" | "keep";
}

/**
A transcript as one sample in the shape that every fine-tuning reader takes: at most one leading system turn, then user
and assistant in strict turns, user first, assistant last, no content empty (but for `pad`'s first). A call with turns
of tools gives none: `tool-calls` or `role:tool`.
*/
export const voiceSample = (
  call: Transcript,
  { system = "own", ...policy }: VoicePolicy = {},
): SampleResult<DropReason | "tool-calls", Change> => {
  const dropped = inexpressible(call.turns);
  if (dropped !== undefined) return { dropped };
  const told = tell(call, { ...policy, system: system === "own" ? "auto" : system } satisfies Policy);
  if ("dropped" in told) return { dropped: told.dropped };
  return { messages: told.messages.map(({ role, content }) => ({ role, content })), changes: told.changes };
};

/** The first reason why these turns have no place in plain chat messages. */
const inexpressible = (turns: Turn[]): DropReason | "tool-calls" | undefined => {
  for (const { role, toolCalls } of turns) {
    if (role !== "user" && role !== "agent") return `role:${role.slice(0, 40).toWellFormed()}`;
    if (toolCalls !== undefined && toolCalls.length > 0) return "tool-calls";
  }
  return undefined;
};
