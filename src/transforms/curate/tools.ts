import type { Message } from "../../core/sample.ts";
import type { Drop, Step } from "./draft.ts";

/**
Holds calls of tools and their results together: each call is answered right after it, before anyone else speaks, but
for the calls that a sample ends on. A result without an id answers the first call that waits for one.
*/
export const pairTools: Step = {
  name: "tools",
  run: (draft) => {
    if (![...draft.opening, ...draft.messages].some(isOfTools)) return draft;
    const opening = paired(draft.opening);
    if ("dropped" in opening) return opening;
    const dialog = paired(draft.messages);
    if ("dropped" in dialog) return dialog;
    // The caller speaks next: whatever still waits, also beside calls that were answered, waits for ever.
    if (opening.waiting.length > 0) return { dropped: "tool-call-without-result" };
    return { ...draft, opening: opening.messages, messages: dialog.messages };
  },
};

const isOfTools = ({ role, toolCalls }: Message): boolean => role === "tool" || toolCalls !== undefined;

/** The messages with their results' ids, and the calls that wait for one at their end. */
const paired = (messages: Message[]): { messages: Message[]; waiting: string[] } | Drop => {
  let waiting: string[] = [];
  const result: Message[] = [];
  for (const message of messages) {
    if (message.role === "tool") {
      const id = message.toolCallId ?? waiting[0];
      if (id === undefined || !waiting.includes(id)) return { dropped: "tool-result-without-call" };
      waiting = waiting.filter((other) => other !== id);
      result.push({ ...message, toolCallId: id });
      continue;
    }
    if (waiting.length > 0) return { dropped: "tool-call-without-result" };
    waiting = message.toolCalls?.map(({ id }) => id) ?? [];
    result.push(message);
  }
  return { messages: result, waiting };
};
