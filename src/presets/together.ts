import { onlyKeys } from "./checks/file-rules.ts";
import { lossRules } from "./checks/loss-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import type { Abilities, Preset } from "./shape.ts";

const loss = { key: "weight", on: "assistants" } as const;
const can: Abilities = {
  loss,
  tools: false,
  greetingFirst: true,
  emptyUser: true,
};

const view = viewOf(["messages"], CHAT);
const REFUSED = "Together refuses the file.";

/** Together AI: the strictest public checker. */
export const together: Preset = {
  name: "together",
  summary: "Together AI, with weight per turn",
  reader: "Together",
  can,
  rows: "messages",
  unit: "call",
  loader: "upload",
  noBlankLines: true,
  plainOnly: true,
  line: (sample, options = {}) =>
    messageRow(sample, can, options, ({ role, content, learn }) => ({
      role,
      content,
      ...(options.loss && role === "assistant" && { weight: learn === false ? 0 : 1 }),
    })),
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        keys: ["role", "content", "weight"],
        emptyUser: true,
      }),
      {
        "no-messages": { effect: REFUSED },
        role: { effect: REFUSED },
        "content-type": { effect: REFUSED },
        alternation: { effect: REFUSED },
        "message-key": { severity: "warning", effect: "Together ignores other keys." },
        "starts-with-assistant": {
          severity: "warning",
          effect: "Together accepts it; the model's chat template may raise.",
        },
        "ends-with-user": {
          severity: "warning",
          effect: "Together accepts it; what follows the last answer is never learned.",
        },
      },
    ),
    ...lossRules({
      view,
      loss,
      assistant: ["assistant"],
      values: "0 or 1",
      mixed: { severity: "warning", effect: "Together reads a missing weight as 1; readers of tables raise." },
    }),
    onlyKeys(["messages"], "error", REFUSED),
  ],
};
