import { INTERRUPTED, type Message, type Turn } from "../core/transcript.ts";
import { blank, joinTexts } from "./merge.ts";

/**
Why a call gives no sample.

- `no-user-turn`: the caller says nothing.
- `no-assistant-turn`: the agent answers nothing that the caller said.
- `tool-calls`: the agent called tools, which plain chat messages cannot express.
- `role:X`: role X cannot be expressed (X is cut to 40 characters).
*/
export type DropReason = "no-user-turn" | "no-assistant-turn" | "tool-calls" | `role:${string}`;

/**
What a sample changes of its call's words.

- `interruption-cut`: text that was never heard was left out.
- `interruption-tag-removed`: the platform's tag was taken out, the text around it kept.
- `empty-turns-dropped`: turns without text were left out.
- `turns-merged`: turns of one speaker in a row were made one.
- `greeting-quoted`, `greeting-dropped`, `greeting-padded`: see `VoicePolicy.greeting`.
- `trailing-user-cut`: the caller's last words, never answered, were left out.
*/
export type Change =
  | "interruption-cut"
  | "interruption-tag-removed"
  | "empty-turns-dropped"
  | "turns-merged"
  | "greeting-quoted"
  | "greeting-dropped"
  | "greeting-padded"
  | "trailing-user-cut";

/** Gives back the very list it was given when there is nothing to do: so `apply` knows what changed. */
export type Step = (messages: Message[]) => Message[];

/** Runs the steps in order and names those that changed something. */
export const apply = (messages: Message[], steps: [Change, Step][]): { messages: Message[]; changes: Change[] } => {
  let current = messages;
  const changes = steps.flatMap(([change, step]) => {
    const before = current;
    current = step(before);
    return current === before ? [] : [change];
  });
  return { messages: current, changes };
};

/** The first reason why these turns have no place in plain chat messages. */
export const inexpressible = (turns: Turn[]): DropReason | undefined => {
  for (const { role, toolCalls } of turns) {
    if (role !== "user" && role !== "agent") return `role:${role.slice(0, 40).toWellFormed()}`;
    if (toolCalls !== undefined && toolCalls.length > 0) return "tool-calls";
  }
  return undefined;
};

export const toMessage = ({ role, text }: Turn): Message => ({
  role: role === "agent" ? "assistant" : "user",
  content: text,
});

const ofAgent =
  (change: (content: string) => string): Step =>
  (messages) =>
    messages.some(isTagged)
      ? messages.map((message) => (isTagged(message) ? { ...message, content: change(message.content) } : message))
      : messages;

const isTagged = ({ role, content }: Message): boolean => role === "assistant" && content.includes(INTERRUPTED);

/** Ends agent turns where the caller cut in. */
export const cutUnheard = ofAgent((content) => content.slice(0, content.indexOf(INTERRUPTED)).trimEnd());

export const removeTags = ofAgent((content) => content.replaceAll(INTERRUPTED, ""));

export const dropEmpty: Step = (messages) =>
  messages.some(({ content }) => blank(content)) ? messages.filter(({ content }) => !blank(content)) : messages;

/** All that the agent says before the caller's first words, as one text, and the messages from those on. */
export const splitOpening = (messages: Message[]): { opening?: string; dialog: Message[] } => {
  const start = messages.findIndex(({ role }) => role === "user");
  if (start === 0) return { dialog: messages };
  const lead = start === -1 ? messages : messages.slice(0, start);
  return { opening: joinTexts(lead.map(({ content }) => content)), dialog: messages.slice(lead.length) };
};

export const cutTrailingUser: Step = (messages) =>
  messages.at(-1)?.role === "user"
    ? messages.slice(0, messages.findLastIndex(({ role }) => role !== "user") + 1)
    : messages;
