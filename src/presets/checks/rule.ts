import type { JsonObject } from "../../core/transcript.ts";

export type Severity = "error" | "warning";

/** Facts of a file after its last row. */
export interface FileEnd {
  rows: number;
  /** The size on disk. */
  bytes: number;
}

/** Checks one file. Each function returns what is wrong, without text of the conversation, or undefined. */
export interface Watch {
  row?(row: JsonObject): string | undefined;
  end?(file: FileEnd): string | undefined;
}

/** A rule for the files of a preset. */
export interface Rule {
  /** Never changes. */
  readonly id: string;
  readonly severity: Severity;
  /** What the reader does with a row that breaks the rule. */
  readonly effect: string;
  /** Creates the state for one file. */
  watch(): Watch;
}

export const eachRow = (
  id: string,
  severity: Severity,
  effect: string,
  row: (row: JsonObject) => string | undefined,
): Rule => ({ id, severity, effect, watch: () => ({ row }) });

export const atEnd = (
  id: string,
  severity: Severity,
  effect: string,
  end: (file: FileEnd) => string | undefined,
): Rule => ({ id, severity, effect, watch: () => ({ end }) });

/** Replaces severity or effect of rules for a certain reader; `null` removes a rule. */
export const adjustRules = (
  rules: readonly Rule[],
  changes: Record<string, Partial<Pick<Rule, "severity" | "effect">> | null>,
): Rule[] =>
  rules.flatMap((rule) => {
    const change = changes[rule.id];
    return change === null ? [] : [{ ...rule, ...change }];
  });

/** A value of the file for a message: short, and without line breaks. */
export const quote = (value: unknown): string =>
  (JSON.stringify(typeof value === "string" ? value.slice(0, 40) : value) ?? "nothing").slice(0, 60);

export const kindOf = (value: unknown): string =>
  value === undefined
    ? "missing"
    : value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : `a ${KINDS[typeof value] ?? typeof value}`;

const KINDS: Record<string, string> = { string: "text", boolean: "true or false" };
