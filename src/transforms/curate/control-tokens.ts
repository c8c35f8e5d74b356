import {
  controlTokensIn,
  escapeControlTokens,
  mayHoldControlToken,
  stripControlTokens,
} from "../../core/control-tokens.ts";
import { changeWithin } from "../../core/json-text.ts";
import type { Message } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import type { ToolCall } from "../../core/transcript.ts";
import { editEach, type Step } from "./draft.ts";
import type { Change, DropReason, Policy } from "./policy.ts";

type Handling = NonNullable<Policy["specialTokens"]>;

/**
Applies `Policy.specialTokens` to one sample. The changes name the tokens.

Texts of tools stay JSON if they are JSON: their strings are changed. Names and ids of calls are changed too; equal ids stay
equal. With `strip`, what would be left without text is escaped.
*/
export const createTokenGuard = (handling: Handling) => {
  const names = new Set<string>();
  const escaped = (text: string): string => {
    const safe = escapeControlTokens(text);
    for (const name of safe.names) names.add(name);
    return safe.text;
  };
  const stripped = (text: string): string => {
    const safe = stripControlTokens(text);
    for (const name of safe.names) names.add(name);
    return safe.text;
  };
  const settle = (text: string): string => {
    if (!mayHoldControlToken(text)) return text;
    if (handling !== "strip") return escaped(text);
    const left = stripped(text);
    return blank(left) ? escaped(text) : left;
  };
  const settleTool = (text: string): string => {
    if (!mayHoldControlToken(text) && !text.includes("\\u")) return text;
    const settled = changeWithin(text, settle);
    // A token can span more than one string of the JSON.
    return controlTokensIn(settled).length > 0 ? escaped(settled) : settled;
  };
  const settleCall = (call: ToolCall): ToolCall => {
    const safe = { ...call, id: escaped(call.id), name: escaped(call.name), arguments: settleTool(call.arguments) };
    return safe.id === call.id && safe.name === call.name && safe.arguments === call.arguments ? call : safe;
  };
  const settleMessage = (message: Message): Message => {
    const { role, content, whole, reasoning, toolCalls, toolCallId } = message;
    const changed: Partial<Message> = {};
    const text = role === "tool" ? settleTool(content) : settle(content);
    if (text !== content) changed.content = text;
    if (whole !== undefined) changed.whole = whole === content ? text : settle(whole);
    if (reasoning !== undefined) changed.reasoning = settle(reasoning);
    if (toolCallId !== undefined) changed.toolCallId = escaped(toolCallId);
    if (toolCalls !== undefined) changed.toolCalls = editEach(toolCalls, settleCall);
    const keys = Object.keys(changed) as (keyof Message)[];
    return keys.every((key) => changed[key] === message[key]) ? message : { ...message, ...changed };
  };

  return {
    /** For `strip`: removes tokens before empty turns are dropped and turns are merged. */
    steps: (handling === "strip" ? [stripStep(stripped)] : []) satisfies Step[],
    /** The finished messages without tokens: merged turns and a quoted greeting can form a token that no turn has. */
    finish: (messages: Message[]): { messages: Message[]; changes: Change[] } | { dropped: DropReason } => {
      if (handling === "keep") return { messages, changes: [] };
      const settled = editEach(messages, settleMessage);
      if (names.size === 0) return { messages, changes: [] };
      if (handling === "drop") return { dropped: "control-token" };
      const change = handling === "strip" ? "control-tokens-stripped" : "control-tokens-escaped";
      return {
        messages: settled,
        changes: [change, ...[...names].sort().map((name): Change => `control-token:${name}`)],
      };
    },
  };
};

const stripStep = (strip: (text: string) => string): Step => ({
  name: "special-tokens",
  run: (draft) => {
    const messages = editEach(draft.messages, (message) => {
      if (message.role === "tool") return message;
      const content = strip(message.content);
      if (content === message.content) return message;
      return { ...message, content, ...(message.whole !== undefined && { whole: strip(message.whole) }) };
    });
    return messages === draft.messages ? draft : { ...draft, messages };
  },
});
