import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import type { Abilities, Preset } from "./shape.ts";

const can: Abilities = {
  tools: false,
  greetingFirst: false,
  emptyUser: false,
};

/** The shape that every trainer reads. */
export const messages: Preset = {
  name: "messages",
  summary: '{"messages": […]} with only role and content, which every trainer reads',
  reader: "Qwen, TRL and most other trainers",
  can,
  rows: "messages",
  unit: "call",
  loader: "datasets",
  line: (sample, options = {}) => messageRow(sample, can, options, ({ role, content }) => ({ role, content })),
  rules: [
    ...messageRules({
      view: viewOf(["messages"], CHAT),
      user: ["user"],
      assistant: ["assistant"],
      system: "system",
      keys: ["role", "content"],
    }),
    onlyKeys(["messages"], "error", "Strict readers refuse other keys."),
    ...datasetsRules(),
  ],
};
