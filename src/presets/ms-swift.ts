import type { Message } from "../core/sample.ts";
import { blank } from "../core/text.ts";
import type { JsonObject } from "../core/transcript.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { CHANGES_TYPE, lossRules } from "./checks/loss-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { rejectionOf } from "./fit.ts";
import type { Abilities, Preset, PresetOptions } from "./shape.ts";
import { haveArguments, namedCall } from "./tool-calls.ts";

const loss = { key: "loss", on: "assistants" } as const;
const can: Abilities = {
  loss,
  tools: true,
  greetingFirst: true,
  emptyUser: true,
};

const view = viewOf(["messages"], CHAT);
const ASSISTANT = ["assistant", "tool_call"];
const DELETED = "ms-swift deletes such rows silently.";
const KEYS = ["messages", "channel", "tools", "images", "videos", "audios", "objects", "label", "rejected_response"];

/** ms-swift: tool calls are separate messages. */
export const msSwift: Preset = {
  name: "ms-swift",
  summary: "ms-swift (ModelScope), with loss per turn",
  reader: "ms-swift",
  can,
  rows: "messages",
  unit: "call",
  loader: "datasets",
  media: true,
  line: (sample, options = {}) => {
    const rejection = rejectionOf(sample, can, options);
    if (rejection) return rejection;
    if (!haveArguments(sample.messages)) return { dropped: "tool-arguments-not-json" };
    return { messages: sample.messages.flatMap((message) => shapes(message, options)) };
  },
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        calls: ["tool_call"],
        tool: ["tool", "tool_response"],
        keys: ["role", "content", "loss"],
        emptyUser: true,
        media: true,
      }),
      {
        "control-token": {
          effect:
            "The tokenizer reads it as a control token; ms-swift refuses <image>, <video>, <audio> without a file.",
        },
        "content-type": { effect: `Null content fails. ${DELETED}` },
        alternation: { effect: "ms-swift joins texts of one role without a separator." },
        role: { effect: DELETED },
        "no-messages": { effect: DELETED },
        "message-key": {
          severity: "warning",
          effect: "ms-swift ignores other keys, and they change the column's type.",
        },
        "no-assistant": { effect: "The row teaches nothing." },
        "starts-with-assistant": null,
      },
    ),
    ...lossRules({
      view,
      loss,
      assistant: ASSISTANT,
      values: "boolean",
      mixed: CHANGES_TYPE,
    }),
    onlyKeys(KEYS, "warning", "ms-swift removes other columns."),
    ...datasetsRules(),
  ],
};

const shapes = ({ role, content, learn, toolCalls }: Message, options: PresetOptions): JsonObject[] => {
  if (role === "tool") return [{ role: "tool_response", content }];
  const key = options.loss && role === "assistant" ? { loss: learn !== false } : {};
  const calls =
    toolCalls?.map((call) => ({ role: "tool_call", content: JSON.stringify(namedCall(call)), ...key })) ?? [];
  return toolCalls !== undefined && blank(content) ? calls : [{ role, content, ...key }, ...calls];
};
