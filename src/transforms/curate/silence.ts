import type { Message } from "../../core/sample.ts";
import { onMessages, type Step } from "./draft.ts";
import type { Policy } from "./policy.ts";

/** From this many seconds between two turns of the agent on, the second is not part of the same answer. */
const MERGE_GAP = 8;

/**
Parts answers that the agent did not give at once: it spoke again because the caller was silent, or was not understood.
With a token, that silence becomes a turn of the caller; without one, the later words are left out, because nothing that
is in the sample asks for them. Turns without a time belong together.
*/
export const settleSilence = ({ mergeGap = MERGE_GAP, silenceToken }: Policy): Step =>
  onMessages(
    "silence",
    silenceToken === undefined ? "unasked-turns-dropped" : "silence-noted",
    (messages): Message[] => {
      let isLate = false;
      let before: Message | undefined;
      let isChanged = false;
      const kept: Message[] = [];
      for (const message of messages) {
        const isPart = before?.role === "assistant" && message.role === "assistant";
        const isApart = isPart && before !== undefined && apart(before, message) > mergeGap;
        isLate = (isPart && isLate) || isApart;
        before = message;
        if (isLate && silenceToken === undefined) {
          isChanged = true;
          continue;
        }
        if (isApart && silenceToken !== undefined) {
          isChanged = true;
          kept.push({ role: "user", content: silenceToken });
        }
        kept.push(message);
      }
      return isChanged ? kept : messages;
    },
  );

/** Seconds from one turn to the next; 0 if unknown, and for tool calls, which stay with their words. */
const apart = (one: Message, other: Message): number => {
  if (one.toolCalls !== undefined || other.toolCalls !== undefined) return 0;
  const [from, to] = [one.turns?.at(-1)?.begin, other.turns?.[0]?.begin];
  return from === undefined || to === undefined ? 0 : to - from;
};
