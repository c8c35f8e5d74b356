import type { Message } from "../core/sample.ts";
import type { JsonObject } from "../core/transcript.ts";
import { fewSamples, onlyKeys } from "./checks/file-rules.ts";
import { lossRules } from "./checks/loss-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import { pairingRule } from "./pairing.ts";
import type { Abilities, Preset, PresetOptions } from "./shape.ts";
import { toolMessage } from "./tool-calls.ts";

const loss = { key: "weight", on: "assistants" } as const;
const can: Abilities = {
  loss,
  tools: true,
  greetingFirst: true,
  emptyUser: false,
};

const view = viewOf(["messages"], CHAT);
const LEAST = 10;

/** OpenAI's fine-tuning is closed to new users, but other services use its format. */
export const openai: Preset = {
  name: "openai",
  summary: "OpenAI's chat format, with weight per turn and tools",
  reader: "OpenAI's fine-tuning",
  can,
  rows: "messages",
  unit: "call",
  loader: "upload",
  noBlankLines: true,
  plainOnly: true,
  line: (sample, options = {}) => messageRow(sample, can, options, (message) => shape(message, options)),
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        tool: ["tool"],
        keys: ["role", "content", "name", "weight", "function_call", "tool_calls", "tool_call_id", "refusal", "audio"],
      }),
      {
        "message-key": { effect: "The file is refused." },
        role: { effect: "The file is refused." },
        alternation: { severity: "warning", effect: "OpenAI accepts it; most other readers of the format do not." },
        "starts-with-assistant": {
          severity: "warning",
          effect: "OpenAI accepts it; most other readers of the format do not.",
        },
        "no-assistant": { effect: "The file is refused: each row needs an assistant." },
      },
    ),
    ...lossRules({
      view,
      loss,
      assistant: ["assistant"],
      values: "0 or 1",
      mixed: { severity: "warning", effect: "OpenAI reads a missing weight as 1; readers of tables raise." },
    }),
    pairingRule(view),
    onlyKeys(["messages", "tools", "functions", "parallel_tool_calls"], "error", "The file is refused."),
    fewSamples(LEAST, "error", "The file is refused: OpenAI needs at least 10 samples."),
  ],
};

// A call without words has empty content instead of null, because chat templates such as Qwen3's fail on null.
const shape = (message: Message, options: PresetOptions): JsonObject => ({
  ...(toolMessage(message, "text") ?? { role: message.role, content: message.content }),
  ...(options.loss && message.role === "assistant" && { weight: message.learn === false ? 0 : 1 }),
});
