import type { SampleResult } from "../../core/sample.ts";
import type { Transcript, Turn } from "../../core/transcript.ts";
import { dialogOf } from "./curate.ts";
import type { Change, DropReason, Policy } from "./policy.ts";

/** The policies that plain chat messages can express. */
export interface VoicePolicy {
  /** See `Policy`. @default "drop" */
  greeting?: "system" | "drop" | "pad";
  /** The system prompt: the call's `own`, `none`, or a fixed text. See `Policy`. @default "own" */
  system?: "own" | "none" | { text: string };
  /** See `Policy`. @default "clause" */
  interrupted?: "clause" | "cut" | "keep";
}

/**
A transcript as one sample in the shape that every fine-tuning reader accepts: at most one system turn, then user and
assistant alternate, user first, assistant last, no empty content (except the padding of `pad`). A call with tool turns is
dropped: `tool-calls` or `role:tool`.
*/
export const voiceSample = (
  call: Transcript,
  { system = "own", interrupted = "clause", ...policy }: VoicePolicy = {},
): SampleResult<DropReason | "tool-calls", Change> => {
  const dropped = inexpressible(call.turns);
  if (dropped !== undefined) return { dropped };
  const dialog = dialogOf(call, {
    ...policy,
    interrupted,
    system: system === "own" ? "auto" : system,
  } satisfies Policy);
  if ("dropped" in dialog) return { dropped: dialog.dropped };
  return { messages: dialog.messages.map(({ role, content }) => ({ role, content })), changes: dialog.changes };
};

/** Why plain chat messages cannot express these turns; undefined if they can. */
const inexpressible = (turns: Turn[]): DropReason | "tool-calls" | undefined => {
  for (const { role, toolCalls } of turns) {
    if (role !== "user" && role !== "agent") return `role:${role.slice(0, 40).toWellFormed()}`;
    if (toolCalls !== undefined && toolCalls.length > 0) return "tool-calls";
  }
  return undefined;
};
