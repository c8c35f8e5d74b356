import type { Message } from "../core/sample.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules } from "./checks/rule.ts";
import { SHAREGPT, viewOf } from "./checks/view.ts";
import { rejectionOf } from "./fit.ts";
import type { Abilities, Preset } from "./shape.ts";

const can: Abilities = {
  tools: false,
  greetingFirst: false,
  emptyUser: false,
};

const TAGS: Record<Message["role"], string> = { system: "system", user: "human", assistant: "gpt", tool: "tool" };

/** The format of the ShareGPT data sets, which many tools still read. */
export const sharegpt: Preset = {
  name: "sharegpt",
  summary: "conversations of human and gpt, as older tools read them",
  reader: "readers of ShareGPT data",
  can,
  rows: "conversations",
  unit: "call",
  loader: "datasets",
  line: (sample, options = {}) =>
    rejectionOf(sample, can, options) ?? {
      conversations: sample.messages.map(({ role, content }) => ({ from: TAGS[role], value: content })),
    },
  rules: [
    ...adjustRules(
      messageRules({
        view: viewOf(["conversations"], SHAREGPT),
        user: ["human"],
        assistant: ["gpt"],
        system: "system",
        keys: ["from", "value"],
      }),
      {
        role: { effect: "Wrong tags are a common mistake: the reader skips the row or raises." },
        "message-key": { severity: "warning", effect: "Other keys change the column's type." },
      },
    ),
    onlyKeys(["conversations"], "warning", "Most readers ignore other columns."),
    ...datasetsRules(),
  ],
};
