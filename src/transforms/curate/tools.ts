import type { Message } from "../../core/sample.ts";
import type { Drop, Step } from "./draft.ts";

/**
Checks that each tool call is answered right after it, before anyone else speaks, except calls at the end of a sample. A
result without an id answers the first open call.
*/
export const pairTools: Step = {
  name: "tools",
  run: (draft) => {
    if (![...draft.opening, ...draft.messages].some(usesTools)) return draft;
    const opening = pair(draft.opening);
    if ("dropped" in opening) return opening;
    const dialog = pair(draft.messages);
    if ("dropped" in dialog) return dialog;
    // The caller speaks next, so open calls of the opening never get a result.
    if (opening.waiting.length > 0) return { dropped: "tool-call-without-result" };
    return { ...draft, opening: opening.messages, messages: dialog.messages };
  },
};

const usesTools = ({ role, toolCalls }: Message): boolean => role === "tool" || toolCalls !== undefined;

/** The messages with an id in every result, and the calls that have no result at the end. */
const pair = (messages: Message[]): { messages: Message[]; waiting: string[] } | Drop => {
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
