import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { CHANGES_TYPE, lossRules } from "./checks/loss-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules, eachRow } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import { pairingRule } from "./pairing.ts";
import type { Abilities, Preset } from "./shape.ts";
import { toolMessage } from "./tool-calls.ts";

const loss = { key: "train", on: "every" } as const;
const can: Abilities = {
  loss,
  tools: true,
  greetingFirst: true,
  emptyUser: true,
};

const view = viewOf(["messages"], CHAT);

/** Axolotl, `type: chat_template`. Arguments of tools are text, because objects would change the column's type. */
export const axolotl: Preset = {
  name: "axolotl",
  summary: "Axolotl's chat_template, with train per turn",
  reader: "Axolotl",
  can,
  rows: "messages",
  unit: "call",
  loader: "datasets",
  line: (sample, options = {}) =>
    messageRow(sample, can, options, (message) => ({
      ...(toolMessage(message, "text") ?? { role: message.role, content: message.content }),
      ...(options.loss && { train: message.role === "assistant" && message.learn !== false }),
    })),
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        tool: ["tool"],
        keys: ["role", "content", "train", "train_detail", "tool_calls", "tool_call_id", "name", "weight"],
        emptyUser: true,
      }),
      {
        "message-key": {
          severity: "warning",
          effect: "Axolotl ignores other keys, and they change the column's type.",
        },
        "starts-with-assistant": null,
      },
    ),
    eachRow(
      "greeting-trained",
      "error",
      'A turn of the assistant before any user needs "train": false, or the template of Qwen3.5 raises.',
      (row) => {
        const messages = view(row);
        if (typeof messages === "string") return undefined;
        const opening = messages.slice(
          0,
          Math.max(
            0,
            messages.findIndex(({ role }) => role === "user"),
          ),
        );
        const wrong = opening.find(({ role, message }) => role === "assistant" && message.train !== false);
        return wrong && `${wrong.where} is learned`;
      },
    ),
    ...lossRules({
      view,
      loss,
      assistant: ["assistant"],
      values: "boolean",
      mixed: CHANGES_TYPE,
    }),
    pairingRule(view),
    onlyKeys(["messages", "tools"], "warning", "Axolotl ignores other columns."),
    ...datasetsRules(),
  ],
};
