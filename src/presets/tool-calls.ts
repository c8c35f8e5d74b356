import type { Message } from "../core/sample.ts";
import type { Json, JsonObject, ToolCall } from "../core/transcript.ts";
import { isObject } from "../core/transcript.ts";

/** The arguments of a call as an object; undefined if they are not a JSON object. */
const argumentsOf = ({ arguments: text }: ToolCall): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text === "" ? "{}" : text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Whether the arguments of every tool call are a JSON object. */
export const haveArguments = (messages: readonly Message[]): boolean =>
  messages.every(({ toolCalls = [] }) => toolCalls.every((call) => argumentsOf(call) !== undefined));

/** A call as `{"name", "arguments"}`. */
export const namedCall = (call: ToolCall): JsonObject => ({ name: call.name, arguments: argumentsOf(call) ?? {} });

/**
A message with tool calls, or a tool's result, in OpenAI's form; undefined for other messages.

@param as writes arguments as `text`, as the model wrote them, or as an `object`
*/
export const toolMessage = (
  { role, content, toolCalls, toolCallId }: Message,
  as: "text" | "object",
): JsonObject | undefined => {
  if (role === "tool") return { role, tool_call_id: toolCallId ?? "", content };
  if (toolCalls === undefined) return undefined;
  const calls = toolCalls.map((call): Json => {
    const written = as === "text" ? call.arguments : (argumentsOf(call) ?? {});
    return { id: call.id, type: "function", function: { name: call.name, arguments: written } };
  });
  return { role, content, tool_calls: calls };
};
