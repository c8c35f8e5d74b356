import type { Message, Sampled, Transcript } from "../core/transcript.ts";
import { blank, mergeSpeakers } from "./merge.ts";
import {
  apply,
  type Change,
  cutTrailingUser,
  cutUnheard,
  type DropReason,
  dropEmpty,
  inexpressible,
  removeTags,
  splitOpening,
  toMessage,
} from "./steps.ts";

/** How a voice call becomes a fine-tuning sample. Every field has a default. */
export interface VoicePolicy {
  /**
  What the agent says before the caller's first words, the greeting above all: no reader takes a sample that begins so.

  - `system`: quoted in the system turn, so that the answers that follow keep their context.
  - `drop`: left out.
  - `pad`: kept after an empty user turn. Serving must do the same, and the strictest readers refuse empty content.

  @default "system"
  */
  greeting?: "system" | "drop" | "pad";
  /**
  The system prompt: the call's `own`, `none`, or a fixed text. With `none` a quoted greeting still makes a system turn.

  @default "own"
  */
  system?: "own" | "none" | { text: string };
  /**
  Where the caller cut in: `cut` off what was never heard, or `keep` it without the platform's tag.

  @default "cut"
  */
  interrupted?: "cut" | "keep";
}

/**
A transcript as one sample in the shape that every fine-tuning reader takes: at most one leading system turn, then user
and assistant in strict turns, user first, assistant last, no content empty (but for `pad`'s first).
*/
export const voiceSample = (
  { turns, system }: Transcript,
  { greeting = "system", system: prompt = "own", interrupted = "cut" }: VoicePolicy = {},
): Sampled<DropReason, Change> => {
  const dropped = inexpressible(turns);
  if (dropped !== undefined) return { dropped };

  const spoken = apply(turns.map(toMessage), [
    interrupted === "cut" ? ["interruption-cut", cutUnheard] : ["interruption-tag-removed", removeTags],
    ["empty-turns-dropped", dropEmpty],
  ]);
  const { opening, dialog } = splitOpening(spoken.messages);
  if (dialog.length === 0) return { dropped: "no-user-turn" };
  // Merged last, so that only what stays counts as merged.
  const { messages, changes } = apply(dialog, [
    ["trailing-user-cut", cutTrailingUser],
    ["turns-merged", mergeSpeakers],
  ]);
  if (messages.length === 0) return { dropped: "no-assistant-turn" };

  const instructions = [promptOf(prompt, system), greeting === "system" && opening ? quote(opening) : undefined];
  const content = instructions.filter((text) => text !== undefined).join("\n\n");
  const head: Message[] = content === "" ? [] : [{ role: "system", content }];
  if (greeting === "pad" && opening) head.push({ role: "user", content: "" }, { role: "assistant", content: opening });
  const opened = opening ? [GREETING_CHANGES[greeting]] : [];
  return { messages: [...head, ...messages], changes: [...spoken.changes, ...opened, ...changes] };
};

const GREETING_CHANGES = { system: "greeting-quoted", drop: "greeting-dropped", pad: "greeting-padded" } as const;

const promptOf = (policy: NonNullable<VoicePolicy["system"]>, own: string | undefined): string | undefined => {
  const text = policy === "own" ? own : policy === "none" ? undefined : policy.text;
  return text === undefined || blank(text) ? undefined : text;
};

/** In the language of the greeting, Chinese or else English: the call's own `language` is often not set. */
const quote = (greeting: string): string =>
  /\p{Script=Han}/u.test(greeting)
    ? `通话开始时，你先说了：“${greeting}”`
    : `You opened the call by saying: "${greeting}"`;
