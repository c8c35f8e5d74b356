import type { Message } from "../core/sample.ts";
import { fewSamples, largestFile, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { eachRow, tuned } from "./checks/rule.ts";
import { CHAT, viewOf } from "./checks/view.ts";
import { messageRow } from "./fit.ts";
import type { Abilities, Preset, PresetOptions } from "./shape.ts";

const can: Abilities = {
  system: true,
  tools: false,
  reasoning: true,
  greetingFirst: false,
  emptyUser: false,
  parts: true,
  think: true,
};

const LARGEST = 200_000_000;
const WANTED = 1_000;
const view = viewOf(["messages"], CHAT);

/** Alibaba Cloud Model Studio (Bailian): every assistant turn is learned. */
export const bailian: Preset = {
  name: "bailian",
  summary: "Alibaba Cloud Model Studio, supervised fine-tuning",
  reader: "Model Studio",
  can,
  rows: "messages",
  unit: "call",
  loader: "upload",
  advice: { wanted: WANTED },
  maxFileBytes: LARGEST,
  plainOnly: true,
  line: (sample, options = {}) =>
    messageRow(sample, can, options, (message) => {
      const text = withThoughts(message, options.think);
      return { role: message.role, content: options.parts ? [{ text }] : text };
    }),
  rules: [
    ...tuned(
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
        const seen = view(row);
        if (typeof seen === "string") return undefined;
        const odd = seen.find(
          ({ role, content }) =>
            role === "assistant" &&
            textsOf(content).some((text) => /<\/?think>/.test(text) && !/^<think>\n[\s\S]*\n<\/think>\n\n/.test(text)),
        );
        return odd && `${odd.where} has <think> without its line breaks`;
      },
    ),
    onlyKeys(["messages"], "error", "Model Studio's check of the file refuses it."),
    largestFile(LARGEST, "The upload is refused: split it."),
    fewSamples(WANTED, "warning", "Model Studio advises at least 1,000 samples."),
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
