import type { Message } from "../core/sample.ts";
import type { Json } from "../core/transcript.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { eachRow, kindOf, type Rule } from "./checks/rule.ts";
import { dialogOf, systemOf, unfit } from "./fit.ts";
import type { Abilities, Preset } from "./shape.ts";

const can: Abilities = {
  system: true,
  tools: false,
  reasoning: false,
  greetingFirst: false,
  emptyUser: false,
};

const COLUMNS = ["instruction", "input", "output", "history", "system"];

/** Stanford Alpaca's columns with LLaMA-Factory's history: the last exchange, and those before it. */
export const alpaca: Preset = {
  name: "alpaca",
  summary: "instruction and output, with the exchanges before in history",
  reader: "readers of Alpaca data",
  can,
  rows: "columns",
  unit: "call",
  loader: "datasets",
  advice: {},
  line: (sample, options = {}) => {
    const odd = unfit(sample, can, options);
    if (odd) return odd;
    const exchanges = exchangesOf(dialogOf(sample.messages));
    const [instruction = "", output = ""] = exchanges.pop() ?? [];
    // Every row has every column, or the files of a folder do not fit together.
    return { instruction, input: "", output, history: exchanges, system: systemOf(sample.messages) };
  },
  rules: [
    text("instruction", { filled: true }),
    text("input", {}),
    text("output", { filled: true }),
    text("system", {}),
    eachRow("history", "error", "The exchanges before are pairs of texts: anything else raises.", ({ history }) => {
      if (history === undefined || history === null) return undefined;
      if (!Array.isArray(history)) return `history is ${kindOf(history)}`;
      const odd = history.findIndex((pair) => !isPair(pair));
      return odd === -1 ? undefined : `history[${odd}] is not a pair of texts`;
    }),
    onlyKeys(COLUMNS, "warning", "Most readers ignore other columns."),
    ...datasetsRules(COLUMNS),
  ],
};

/** The dialog alternates strictly here, beginning with the user. */
const exchangesOf = (dialog: readonly Message[]): [string, string][] =>
  dialog.flatMap(({ role, content }, index): [string, string][] =>
    role === "assistant" ? [[dialog[index - 1]?.content ?? "", content]] : [],
  );

const isPair = (pair: Json): boolean =>
  Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string" && text.trim() !== "");

function text(key: string, { filled = false }): Rule {
  return eachRow(
    filled ? `no-${key}` : `${key}-type`,
    "error",
    filled ? "There is nothing to learn in it, or the reader raises." : "The column is text.",
    (row) => {
      const value = row[key];
      if (!filled && (value === undefined || value === null)) return undefined;
      if (typeof value !== "string") return `${key} is ${kindOf(value)}`;
      return filled && value.trim() === "" ? `${key} has no text` : undefined;
    },
  );
}
