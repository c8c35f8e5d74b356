import type { Message } from "../core/sample.ts";
import { fewSamples, largestFile, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules, eachRow } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import type { Abilities, Preset, PresetOptions } from "./shape.ts";

const can: Abilities = {
  tools: false,
  greetingFirst: false,
  emptyUser: false,
  parts: true,
  think: true,
};

const LARGEST = 200_000_000;
const ADVISED = 1_000;
const view = viewOf(["messages"], CHAT);

/** Alibaba Cloud Model Studio (Bailian), which learns every assistant turn. */
export const bailian: Preset = {
  name: "bailian",
  summary: "Alibaba Cloud Model Studio, supervised fine-tuning",
  reader: "Model Studio",
  can,
  rows: "messages",
  unit: "call",
  loader: "upload",
  maxFileBytes: LARGEST,
  plainOnly: true,
  line: (sample, options = {}) =>
    messageRow(sample, can, options, (message) => {
      const text = withThoughts(message, options.think);
      return { role: message.role, content: options.parts ? [{ text }] : text };
    }),
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: ["user"],
        assistant: ["assistant"],
        system: "system",
        keys: ["role", "content"],
        parts: true,
      }),
      {
        "message-key": { effect: "name and weight are not supported: every assistant turn is learned." },
        role: { effect: "Model Studio knows system, user and assistant." },
      },
    ),
    eachRow(
      "think-newlines",
      "error",
      "The line breaks around <think> and </think> must stay as documented.",
      (row) => {
        const messages = view(row);
        if (typeof messages === "string") return undefined;
        const wrong = messages.find(
          ({ role, content }) =>
            role === "assistant" &&
            textsOf(content).some((text) => /<\/?think>/.test(text) && !/^<think>\n[\s\S]*\n<\/think>\n\n/.test(text)),
        );
        return wrong && `${wrong.where} has <think> without its line breaks`;
      },
    ),
    onlyKeys(["messages"], "error", "Model Studio refuses the file."),
    largestFile(LARGEST, "The upload is refused: split the file."),
    fewSamples(ADVISED, "warning", "Model Studio advises at least 1,000 samples."),
  ],
};

const withThoughts = ({ role, content, reasoning = "" }: Message, think: PresetOptions["think"]): string => {
  if (role !== "assistant" || think === undefined) return content;
  return `<think>\n${think === "reasoning" ? reasoning.trim() : ""}\n</think>\n\n${content}`;
};

const textsOf = (content: unknown): string[] =>
  (Array.isArray(content) ? content.map((part) => (part as { text?: unknown } | null)?.text) : [content]).filter(
    (text) => typeof text === "string",
  );
