import type { Message, Sample } from "../core/sample.ts";
import { blank } from "../core/text.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Abilities, PresetOptions, Refusal, Rejection } from "./shape.ts";

/** Why a preset with these abilities cannot express a sample; undefined if it can. */
export const rejectionOf = (
  { messages }: Sample,
  can: Abilities,
  { loss }: PresetOptions = {},
): Rejection | undefined => {
  const dialog = dialogOf(messages);
  const reasons: [Refusal, boolean][] = [
    ["tool-calls", !can.tools && messages.some(({ role, toolCalls }) => role === "tool" || toolCalls !== undefined)],
    ["greeting-first", !can.greetingFirst && dialog[0]?.role === "assistant"],
    ["empty-user", !can.emptyUser && messages.some(({ role, content }) => role === "user" && blank(content))],
    ["nothing-to-learn", can.loss !== undefined && loss === true && !messages.some(isLearned)],
  ];
  const found = reasons.find(([, applies]) => applies);
  return found && { dropped: found[0] };
};

export const isLearned = ({ role, learn }: Message): boolean => role === "assistant" && learn !== false;

/** The messages without the system turn. */
export const dialogOf = (messages: readonly Message[]): readonly Message[] =>
  messages[0]?.role === "system" ? messages.slice(1) : messages;

/** The text of the system turn; empty if there is none. */
export const systemOf = ([first]: readonly Message[]): string => (first?.role === "system" ? first.content : "");

/** A row with `messages`; `shape` makes each of them. */
export const messageRow = (
  sample: Sample,
  can: Abilities,
  options: PresetOptions,
  shape: (message: Message) => JsonObject,
): JsonObject | Rejection => rejectionOf(sample, can, options) ?? { messages: sample.messages.map(shape) };
