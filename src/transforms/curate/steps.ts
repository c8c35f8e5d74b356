import type { Message } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import type { Turn } from "../../core/transcript.ts";
import { type Draft, onMessages, type Step } from "./draft.ts";
import { mergeSpeakers } from "./merge.ts";
import type { Change } from "./policy.ts";

/** Removes turns of other kinds. */
export const onlyKinds = (kinds: readonly string[]): Step => ({
  name: "kinds",
  change: "kinds-left-out",
  run: (draft) => {
    const turns = draft.turns.filter(({ kind }) => kinds.includes(kind));
    return turns.length === draft.turns.length ? draft : { ...draft, turns };
  },
});

/** Takes the leading system turns as the system prompt. Drops the call if a later turn has an unknown role. */
export const takeRoles: Step = {
  name: "roles",
  run: (draft) => {
    const start = draft.turns.findIndex(({ role }) => role !== "system");
    const turns = start === -1 ? [] : draft.turns.slice(start);
    const unknown = turns.find(({ role }) => role !== "user" && role !== "agent" && role !== "tool");
    if (unknown !== undefined) return { dropped: `role:${unknown.role.slice(0, 40).toWellFormed()}` };
    const prompts = [draft.system, ...draft.turns.slice(0, draft.turns.length - turns.length).map(({ text }) => text)];
    const system = [...new Set(prompts.filter((text) => text !== undefined && !blank(text)))].join("\n\n");
    const { system: _, ...rest } = draft;
    return { ...rest, ...(system !== "" && { system }), turns, messages: turns.map(toMessage) };
  },
};

const toMessage = ({ id, role, text, begin, reasoning, toolCalls, toolCallId }: Turn): Message => {
  const message: Message = { role: role === "agent" ? "assistant" : role === "tool" ? "tool" : "user", content: text };
  if (reasoning !== undefined && role === "agent") message.reasoning = reasoning;
  if (toolCalls !== undefined && toolCalls.length > 0 && role === "agent") message.toolCalls = toolCalls;
  if (toolCallId !== undefined && role === "tool") message.toolCallId = toolCallId;
  message.turns = [begin === undefined ? { id } : { id, begin }];
  return message;
};

/** Removes messages without text, except tool results and tool calls. */
export const dropEmpty: Step = onMessages("empty-turns", "empty-turns-dropped", (messages) => {
  const kept = messages.filter(
    ({ role, content, toolCalls }) => role === "tool" || toolCalls !== undefined || !blank(content),
  );
  return kept.length === messages.length ? messages : kept;
});

/** Removes the caller's last words without an answer, because a sample ends with the agent. */
export const cutTrailing: Step = {
  name: "trailing-turns",
  change: "trailing-user-cut",
  run: (draft) => {
    const end = draft.messages.findLastIndex(({ role }) => role === "assistant") + 1;
    if (end === 0) return { dropped: "no-assistant-turn" };
    return end === draft.messages.length ? draft : { ...draft, messages: draft.messages.slice(0, end) };
  },
};

export const mergeTurns: Step & { change: Change } = onMessages("merging", "turns-merged", mergeSpeakers);

/** The draft before any step. */
export const draftOf = (turns: Turn[], system: string | undefined): Draft => ({
  turns,
  opening: [],
  messages: [],
  ...(system !== undefined && { system }),
});
