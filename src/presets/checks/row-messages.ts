import type { Message } from "../../core/sample.ts";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

const ROLES: Record<string, Message["role"]> = {
  system: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  gpt: "assistant",
  function_call: "assistant",
  tool_call: "assistant",
  tool: "tool",
  tool_response: "tool",
  observation: "tool",
};

/** The messages of a row of any preset, as a chat template reads them. What is no text counts as an empty one. */
export const messagesOfRow = (row: JsonObject): Message[] => {
  const system = typeof row.system === "string" && row.system !== "" ? [said("system", row.system)] : [];
  if ("instruction" in row) {
    const earlier = listOf(row.history).flatMap((pair) => {
      const [question, answer] = listOf(pair);
      return [said("user", question), said("assistant", answer)];
    });
    const question = [row.instruction, row.input].filter((text) => typeof text === "string" && text !== "").join("\n");
    return [...system, ...earlier, said("user", question), said("assistant", row.output)];
  }
  const lists = [row.messages, row.conversations, row.prompt, row.completion].flatMap(listOf);
  return [...system, ...lists.filter(isObject).map(messageOf)];
};

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

const said = (role: Message["role"], content: Json | undefined): Message => ({
  role,
  content: typeof content === "string" ? content : listOf(content).map(partOf).join(""),
});

const partOf = (part: Json): string => (isObject(part) && typeof part.text === "string" ? part.text : "");

const messageOf = (item: JsonObject): Message => {
  const message = said(ROLES[textOf(item.role ?? item.from)] ?? "user", item.content ?? item.value);
  const toolCalls = listOf(item.tool_calls).filter(isObject).map(callOf);
  return {
    ...message,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(typeof item.tool_call_id === "string" && { toolCallId: item.tool_call_id }),
  };
};

const callOf = ({ id, function: called }: JsonObject) => {
  const { name, arguments: given } = isObject(called) ? called : {};
  return { id: textOf(id), name: textOf(name), arguments: textOf(given ?? {}) };
};

/** Empty for a value that is nested deeper than the stack. */
const textOf = (value: Json | undefined): string => {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value ?? null);
  } catch {
    return "";
  }
};
