import type { Message } from "../core/sample.ts";
import { blank } from "../core/text.ts";
import type { JsonObject } from "../core/transcript.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { messageRules } from "./checks/message-rules.ts";
import { adjustRules, eachRow, quote } from "./checks/rule.ts";
import { SHAREGPT, viewOf } from "./checks/view.ts";
import { dialogOf, rejectionOf, systemOf } from "./fit.ts";
import { infoFile, TAGS } from "./llama-factory-info.ts";
import type { Abilities, Preset, Rejection } from "./shape.ts";
import { haveArguments, namedCall } from "./tool-calls.ts";

const can: Abilities = {
  tools: true,
  greetingFirst: false,
  emptyUser: true,
};

const view = viewOf(["conversations"], SHAREGPT);
const SKIPPED = "LLaMA-Factory skips the row, and only its log says so.";
const {
  user_tag: USER,
  assistant_tag: ASSISTANT,
  observation_tag: RESULT,
  function_tag: CALL,
  system_tag: SYSTEM,
} = TAGS;

/** LLaMA-Factory's "sharegpt". It reads roles by position, so user and assistant must alternate. */
export const llamaFactory: Preset = {
  name: "llama-factory",
  summary: "LLaMA-Factory, with dataset_info.json",
  reader: "LLaMA-Factory",
  can,
  rows: "conversations",
  unit: "call",
  loader: "datasets",
  media: true,
  plainOnly: true,
  line: (sample, options = {}) => {
    const { messages } = sample;
    const rejection = rejectionOf(sample, can, options) ?? toolTrouble(messages);
    // Every row has `system`, because all files of a folder need the same columns.
    return rejection ?? { conversations: dialogOf(messages).map(shape), system: systemOf(messages) };
  },
  rules: [
    ...adjustRules(
      messageRules({
        view,
        user: [USER, RESULT],
        assistant: [ASSISTANT, CALL],
        system: SYSTEM,
        keys: ["from", "value"],
        emptyUser: true,
        blank: [RESULT],
        media: true,
      }),
      {
        "control-token": {
          effect: "LLaMA-Factory reads it as a control token, and refuses <image>, <video>, <audio> without a file.",
        },
        role: { effect: SKIPPED },
        alternation: { effect: SKIPPED },
        "starts-with-assistant": { effect: SKIPPED },
        "ends-with-user": { effect: SKIPPED },
        "message-key": { severity: "warning", effect: "LLaMA-Factory ignores other keys." },
      },
    ),
    eachRow("function-call", "error", "LLaMA-Factory raises if a call is not JSON.", (row) => {
      const messages = view(row);
      if (typeof messages === "string") return undefined;
      const wrong = messages.find(({ role, content }) => role === CALL && !isCall(content));
      return wrong && `${wrong.where} is not {"name", "arguments"} or a list of them`;
    }),
    eachRow("system-type", "error", "The system column must be text.", ({ system }) =>
      system === undefined || system === null || typeof system === "string" ? undefined : `system is ${quote(system)}`,
    ),
    onlyKeys(
      ["conversations", "system", "tools"],
      "warning",
      "LLaMA-Factory ignores columns that dataset_info.json does not name.",
    ),
    ...datasetsRules(["system", "tools"]),
  ],
  sidecars: (files) => [{ name: "dataset_info.json", text: infoFile(files) }],
};

const shape = ({ role, content, toolCalls }: Message): JsonObject => {
  if (role === "tool") return { from: RESULT, value: content };
  if (toolCalls === undefined) return { from: role === "user" ? USER : ASSISTANT, value: content };
  const calls = toolCalls.map(namedCall);
  return { from: CALL, value: JSON.stringify(calls.length === 1 ? calls[0] : calls) };
};

const toolTrouble = (messages: readonly Message[]): Rejection | undefined => {
  if (messages.some(({ content, toolCalls }) => toolCalls !== undefined && !blank(content)))
    return { dropped: "tool-call-with-text" };
  if (messages.some(({ role }, index) => role === "tool" && messages[index + 1]?.role === "tool"))
    return { dropped: "parallel-tool-results" };
  return haveArguments(messages) ? undefined : { dropped: "tool-arguments-not-json" };
};

const isCall = (content: unknown): boolean => {
  try {
    const value: unknown = JSON.parse(String(content));
    return (Array.isArray(value) ? value : [value]).every(
      (call) => typeof call?.name === "string" && "arguments" in call,
    );
  } catch {
    return false;
  }
};
