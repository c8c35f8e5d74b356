import type { JsonObject } from "../../core/transcript.ts";
import type { Preset } from "../shape.ts";
import { type Columns, createColumns } from "./columns.ts";
import { createRowCopies, type FindCopy } from "./row-copies.ts";
import type { FileEnd, Rule, Severity, Watch } from "./rule.ts";
import { readLine, textRules } from "./text-rules.ts";

/** A broken rule and its place. */
export interface Finding {
  rule: string;
  severity: Severity;
  /** From 1; absent if it concerns the whole file. */
  line?: number;
  /** In few words, without text of the conversation. */
  detail: string;
}

/** The result of checking one file. */
export interface FileReport {
  preset?: string;
  rows: number;
  errors: number;
  warnings: number;
  /** The broken rules, how often, and what the reader does with such rows. */
  rules: { rule: string; severity: Severity; count: number; effect: string }[];
  columns: Columns;
}

const TROUBLES = {
  long: "has more than 64 MB",
  gzip: "cannot be unpacked",
  parquet: "cannot be read",
} as const;

export interface FileCheck {
  /** Checks the next line, given without its line feed. */
  line(bytes: Uint8Array): Finding[];
  /** Checks the next row of a file that has no lines. */
  row(row: JsonObject): Finding[];
  /** Reports a line that is too long to keep in memory, or the place from which on a file cannot be read. */
  trouble(what: "long" | "gzip" | "parquet"): Finding[];
  end(file: Pick<FileEnd, "bytes">): Finding[];
  /** False if the rest of the file cannot be read. */
  readonly isReadable: boolean;
  report(): FileReport;
}

/** What is checked besides the preset's rules. */
export interface MoreChecks {
  /** Rules of the user's, such as a length. */
  rules?: readonly Rule[];
  /** Finds copies, also of rows in other files. @default in this file */
  findCopy?: FindCopy;
}

/**
Checks one file, line by line, against a preset's rules. Keeps counts, columns and hashes in memory, not rows.

@param choose chooses the preset by the first row
*/
export const checkFile = (
  choose: (row: JsonObject) => Preset | undefined,
  { rules: more = [], findCopy = createRowCopies().file("", undefined) }: MoreChecks = {},
): FileCheck => {
  const counts = new Map<string, FileReport["rules"][number]>();
  const columns = createColumns();
  let preset: Preset | undefined;
  let watched: { rule: Rule; watch: Watch }[] | undefined;
  let lines = 0;
  let rows = 0;
  let windowsLines = 0;
  let isReadable = true;

  const found = (rule: Pick<Rule, "id" | "severity" | "effect">, detail: string, line?: number): Finding => {
    const severity = rule.id === textRules.blank.id && preset?.noBlankLines ? "error" : rule.severity;
    const known = counts.get(rule.id) ?? { rule: rule.id, severity, count: 0, effect: rule.effect };
    counts.set(rule.id, { ...known, count: known.count + 1 });
    return { rule: rule.id, severity, ...(line !== undefined && { line }), detail };
  };
  const begin = (row: JsonObject): Finding[] => {
    preset = choose(row);
    watched = [...(preset?.rules ?? []), ...more].map((rule) => ({ rule, watch: rule.watch() }));
    return preset === undefined ? [found(textRules.shape, "the first row", lines)] : [];
  };

  const checkRow = (row: JsonObject, isReplaced = false): Finding[] => {
    const findings: Finding[] = [];
    rows += 1;
    columns.add(row);
    if (watched === undefined) findings.push(...begin(row));
    for (const { rule, watch } of watched ?? []) {
      // These are ours, in place of the bytes that are not UTF-8.
      if (isReplaced && rule.id === "replacement-character") continue;
      const detail = watch.row?.(row);
      if (detail !== undefined) findings.push(found(rule, detail, lines));
    }
    const copy = findCopy(row, lines);
    if (copy !== undefined) findings.push(found(copy.rule, copy.detail, lines));
    return findings;
  };

  return {
    line: (bytes) => {
      lines += 1;
      const isWindows = bytes.at(-1) === 0x0d;
      if (isWindows) windowsLines += 1;
      const { row, problems, ends } = readLine(isWindows ? bytes.subarray(0, -1) : bytes, lines === 1);
      if (ends) isReadable = false;
      const findings = problems.map(({ rule, detail }) => found(rule, detail, lines));
      if (row === undefined) return findings;
      const isReplaced = problems.some(({ rule }) => rule === textRules.utf8);
      return [...findings, ...checkRow(row, isReplaced)];
    },
    row: (row) => {
      lines += 1;
      return checkRow(row);
    },
    trouble: (what) => {
      lines += 1;
      return [found(textRules[what], TROUBLES[what], lines)];
    },
    end: ({ bytes }) => {
      const findings = rows === 0 && counts.size === 0 ? [found(textRules.empty, "the file has no rows")] : [];
      if (windowsLines > 0) findings.push(found(textRules.crlf, `${windowsLines} of ${lines} lines end with CRLF`));
      for (const { rule, watch } of watched ?? []) {
        const detail = watch.end?.({ rows, bytes });
        if (detail !== undefined) findings.push(found(rule, detail));
      }
      return findings;
    },
    get isReadable() {
      return isReadable;
    },
    report: () => {
      const rules = [...counts.values()];
      const sum = (severity: Severity): number =>
        rules.filter((each) => each.severity === severity).reduce((total, { count }) => total + count, 0);
      return {
        ...(preset && { preset: preset.name }),
        rows,
        errors: sum("error"),
        warnings: sum("warning"),
        rules,
        columns,
      };
    },
  };
};
