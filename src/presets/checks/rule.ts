import type { JsonObject } from "../../core/transcript.ts";

export type Severity = "error" | "warning";

/** A file as a whole, once all of it was seen. */
export interface FileEnd {
  rows: number;
  /** As stored. */
  bytes: number;
}

/** Looks at one file. Each gives what is wrong, in few words that never quote the conversation, or undefined. */
export interface Watch {
  row?(row: JsonObject): string | undefined;
  end?(file: FileEnd): string | undefined;
}

/** Something that files of a preset must keep to. */
export interface Rule {
  /** Stable. */
  readonly id: string;
  readonly severity: Severity;
  /** What the reader does with a row that breaks it. */
  readonly effect: string;
  /** A fresh watch for each file: rules themselves remember nothing. */
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

/** The rules with another severity or effect where a reader is known to do otherwise; `null` leaves a rule out. */
export const tuned = (
  rules: readonly Rule[],
  changes: Record<string, Partial<Pick<Rule, "severity" | "effect">> | null>,
): Rule[] =>
  rules.flatMap((rule) => {
    const change = changes[rule.id];
    return change === null ? [] : [{ ...rule, ...change }];
  });

/** A value of the file's own in a message to people: short, and without line breaks. */
export const named = (value: unknown): string =>
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
