import type { Message } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import type { Draft, Step } from "./draft.ts";
import { joinTexts, mergeSpeakers, wholeOf } from "./merge.ts";
import type { Policy } from "./policy.ts";

/** Moves the messages before the caller's first words to `opening`. */
export const splitOpening: Step = {
  name: "opening",
  run: (draft) => {
    const start = draft.messages.findIndex(({ role }) => role === "user");
    if (start === -1) return { dropped: "no-user-turn" };
    return { ...draft, opening: draft.messages.slice(0, start), messages: draft.messages.slice(start) };
  },
};

/** Removes tool calls and results from the opening, because a quoted, dropped or padded greeting has only words. */
export const dropOpeningTools: Step = {
  name: "opening-tools",
  change: "opening-tools-dropped",
  run: (draft) => {
    if (!draft.opening.some(({ role, toolCalls }) => role === "tool" || toolCalls !== undefined)) return draft;
    const opening = draft.opening
      .filter(({ role, content }) => role !== "tool" && !blank(content))
      .map(({ toolCalls: _, ...message }) => message);
    return { ...draft, opening };
  },
};

/** Applies `Policy.greeting` to the agent's words before the caller's first. */
export const settleGreeting = (policy: NonNullable<Policy["greeting"]>): Step => ({
  name: "greeting",
  change: GREETINGS[policy].change,
  run: (draft) => (draft.opening.length === 0 ? draft : GREETINGS[policy].settle(draft)),
});

const GREETINGS = {
  system: {
    change: "greeting-quoted",
    settle: (draft: Draft): Draft => {
      const said = textOf(draft.opening);
      if (said === "") return { ...draft, opening: [] };
      const text = quote(said);
      const system = draft.system === undefined ? text : `${draft.system}\n\n${text}`;
      return { ...draft, system, quoted: draft.opening.flatMap(({ turns }) => turns ?? []), opening: [] };
    },
  },
  drop: { change: "greeting-dropped", settle: (draft: Draft): Draft => ({ ...draft, opening: [] }) },
  pad: {
    change: "greeting-padded",
    settle: (draft: Draft): Draft => ({
      ...draft,
      opening: [{ role: "user", content: "" }, ...mergeSpeakers(draft.opening)],
    }),
  },
  mask: {
    change: "greeting-masked",
    settle: (draft: Draft): Draft => ({
      ...draft,
      opening: mergeSpeakers(draft.opening).map((message) =>
        message.role === "assistant" ? { ...message, learn: false } : message,
      ),
    }),
  },
} as const;

const textOf = (messages: Message[]): string => joinTexts(messages.map(wholeOf).filter((text) => text !== ""));

/** In Chinese if the greeting has Han characters, else in English: the call's `language` is often not set. */
const quote = (greeting: string): string =>
  /\p{Script=Han}/u.test(greeting)
    ? `通话开始时，你先说了：“${greeting}”`
    : `You opened the call by saying: "${greeting}"`;
