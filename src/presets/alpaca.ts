import type { Message } from "../core/sample.ts";
import { blank } from "../core/text.ts";
import type { Json } from "../core/transcript.ts";
import { contentRules } from "./checks/content-rules.ts";
import { datasetsRules, onlyKeys } from "./checks/file-rules.ts";
import { eachRow, kindOf, type Rule } from "./checks/rule.ts";
import { dialogOf, rejectionOf, systemOf } from "./fit.ts";
import type { Abilities, Preset } from "./shape.ts";

const can: Abilities = {
  tools: false,
  greetingFirst: false,
  emptyUser: false,
};

const COLUMNS = ["instruction", "input", "output", "history", "system"];

/** Stanford Alpaca's columns for the last exchange, and LLaMA-Factory's `history` for the earlier ones. */
export const alpaca: Preset = {
  name: "alpaca",
  summary: "instruction and output, with the earlier exchanges in history",
  reader: "readers of Alpaca data",
  can,
  rows: "columns",
  unit: "call",
  loader: "datasets",
  line: (sample, options = {}) => {
    const rejection = rejectionOf(sample, can, options);
    if (rejection) return rejection;
    const exchanges = exchangesOf(dialogOf(sample.messages));
    const [instruction = "", output = ""] = exchanges.pop() ?? [];
    // Every row has every column, because all files of a folder need the same columns.
    return { instruction, input: "", output, history: exchanges, system: systemOf(sample.messages) };
  },
  rules: [
    text("instruction", { filled: true }),
    text("input", {}),
    text("output", { filled: true }),
    text("system", {}),
    eachRow(
      "history",
      "error",
      "The earlier exchanges must be pairs of texts; anything else raises.",
      ({ history }) => {
        if (history === undefined || history === null) return undefined;
        if (!Array.isArray(history)) return `history is ${kindOf(history)}`;
        const wrong = history.findIndex((pair) => !isPair(pair));
        return wrong === -1 ? undefined : `history[${wrong}] is not a pair of texts`;
      },
    ),
    onlyKeys(COLUMNS, "warning", "Most readers ignore other columns."),
    ...contentRules(),
    ...datasetsRules(COLUMNS),
  ],
};

/** Pairs of user and assistant texts; the dialog alternates and begins with the user. */
const exchangesOf = (dialog: readonly Message[]): [string, string][] =>
  dialog.flatMap(({ role, content }, index): [string, string][] =>
    role === "assistant" ? [[dialog[index - 1]?.content ?? "", content]] : [],
  );

const isPair = (pair: Json): boolean =>
  Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string" && !blank(text));

function text(key: string, { filled = false }): Rule {
  return eachRow(
    filled ? `no-${key}` : `${key}-type`,
    "error",
    filled ? "The row teaches nothing, or the reader raises." : "The column must be text.",
    (row) => {
      const value = row[key];
      if (!filled && (value === undefined || value === null)) return undefined;
      if (typeof value !== "string") return `${key} is ${kindOf(value)}`;
      return filled && blank(value) ? `${key} has no text` : undefined;
    },
  );
}
