import type { Message } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import { INTERRUPTED } from "../../core/transcript.ts";
import { type Draft, editEach, onMessages, type Step } from "./draft.ts";
import { mergeSpeakers, wholeOf } from "./merge.ts";
import type { Policy } from "./policy.ts";
import { wholePart } from "./whole-part.ts";

type Handling = NonNullable<Policy["interrupted"]>;

/** Removes what the caller did not hear of an answer, and notes what is whole of the rest. `keep` only removes the tag. */
export const settleInterruptions = (policy: Handling): Step =>
  onMessages("interruptions", policy === "keep" ? "interruption-tag-removed" : "interruption-cut", (messages) =>
    editEach(messages, (message) => {
      const { role, content } = message;
      if (role !== "assistant" || !content.includes(INTERRUPTED)) return message;
      if (policy === "keep") return { ...message, content: content.replaceAll(INTERRUPTED, ""), learn: false };
      const heard = content.slice(0, content.indexOf(INTERRUPTED)).trimEnd();
      return { ...message, content: heard, whole: wholePart(heard) };
    }),
  );

/** Excludes the half answers from learning, or cuts them back, also in the opening. */
export const settleHalfAnswers = (policy: Handling): Step[] => {
  if (policy === "cut" || policy === "keep") return [];
  const isCut = policy === "clause";
  const settle = isCut ? cutBack : maskHalves;
  return [
    {
      name: "half-answers",
      change: isCut ? "half-answers-cut-back" : "half-answers-masked",
      run: (draft: Draft): Draft => {
        const opening = settle(draft.opening);
        const messages = settle(draft.messages);
        return opening === draft.opening && messages === draft.messages ? draft : { ...draft, opening, messages };
      },
    },
  ];
};

const maskHalves = (messages: Message[]): Message[] =>
  editEach(messages, (message) => (message.whole === undefined ? message : { ...message, learn: false }));

/** Cuts half answers back to what is whole, and leaves out those without a whole part. */
const cutBack = (messages: Message[]): Message[] => {
  if (!messages.some((message) => wholeOf(message) !== message.content)) return messages;
  return messages
    .map((message) => ({ ...message, content: wholeOf(message) }))
    .filter(({ role, content, toolCalls }) => role !== "assistant" || toolCalls !== undefined || !blank(content));
};

/**
The finished messages for a preset that cannot exclude turns from learning: half answers are cut back or left out, then
turns are merged and cut at the end as before. The same list if there is nothing to do.
*/
export const withoutHalfAnswers = (messages: Message[]): Message[] => {
  const cut = cutBack(messages);
  if (cut === messages) return messages;
  const end = cut.findLastIndex(({ role }) => role === "assistant") + 1;
  return mergeSpeakers(cut.slice(0, end));
};

/** Whether a message ends, or has a part that ends, where the caller cut in. */
export const isHalf = (message: Message): boolean => wholeOf(message) !== message.content;
