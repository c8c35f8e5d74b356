import type { Message } from "../core/sample.ts";
import type { JsonObject } from "../core/transcript.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules, eachRow } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { isLearned, rejectionOf } from "./fit.ts";
import { pairingRule } from "./pairing.ts";
import type { Abilities, Preset } from "./shape.ts";
import { haveArguments, toolMessage } from "./tool-calls.ts";

const can: Abilities = {
  tools: true,
  greetingFirst: true,
  emptyUser: true,
};

const view = viewOf(["prompt", "completion"], CHAT);

/** TRL's prompt and completion. Only the completion is learned, so a greeting before the user is safe. */
export const trl: Preset = {
  name: "trl",
  summary: "TRL's prompt and completion, a row per agent turn",
  reader: "TRL",
  can,
  rows: "prompt",
  unit: "turn",
  loader: "datasets",
  line: (sample, options = {}) => {
    const { messages } = sample;
    const last = messages.at(-1);
    const rejection = rejectionOf(sample, can, options);
    if (rejection) return rejection;
    if (last === undefined || messages.length < 2 || !isLearned(last)) return { dropped: "nothing-to-learn" };
    if (!haveArguments(messages)) return { dropped: "tool-arguments-not-json" };
    return { prompt: messages.slice(0, -1).map(shape), completion: [shape(last)] };
  },
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        tool: ["tool"],
        keys: ["role", "content", "tool_calls", "tool_call_id", "name"],
        emptyUser: true,
      }),
      {
        "no-messages": { effect: "TRL reads the row as another type of data set, and raises." },
        "starts-with-assistant": {
          severity: "warning",
          effect: "The chat templates of Gemma and Mistral raise; those of Qwen and Llama accept it.",
        },
      },
    ),
    eachRow(
      "completion",
      "error",
      "All of the completion is learned, so it must contain only the assistant's words.",
      ({ completion }) => {
        if (!Array.isArray(completion)) return undefined;
        const wrong = completion.findIndex((item) => (item as { role?: unknown } | null)?.role !== "assistant");
        return wrong === -1 ? undefined : `completion[${wrong}] is not the assistant's`;
      },
    ),
    pairingRule(view),
    onlyKeys(["prompt", "completion", "tools", "chat_template_kwargs"], "warning", "TRL ignores other columns."),
    ...datasetsRules(),
  ],
};

const shape = (message: Message): JsonObject =>
  toolMessage(message, "object") ?? { role: message.role, content: message.content };
