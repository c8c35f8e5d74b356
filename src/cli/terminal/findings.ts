import { join } from "node:path";
import type { CheckListener } from "../../app/check/check.ts";
import { oneLine } from "../../core/printable.ts";
import { count, plural } from "../../core/wording.ts";
import { table } from "./format.ts";
import type { printer } from "./stdout.ts";

/** How many findings of one rule in one file are printed; `-v` prints all. */
const MOST_PRINTED = 10;

/** Prints findings as `place: severity rule: detail`, or as JSON lines. */
export const createFindingPrinter = (
  { print, flush }: ReturnType<typeof printer>,
  { json, verbose }: { json?: boolean; verbose?: boolean },
): CheckListener => {
  let counts = new Map<string, number>();
  const line = (text: string, value: object): void => print(`${json ? JSON.stringify(value) : oneLine(text)}\n`);
  return {
    begin: () => {
      counts = new Map();
    },
    findings: async (file, findings) => {
      for (const finding of findings) {
        const nth = (counts.get(finding.rule) ?? 0) + 1;
        counts.set(finding.rule, nth);
        if (nth > MOST_PRINTED && !verbose) continue;
        const place = finding.line === undefined ? file : `${file}:${finding.line}`;
        line(`${place}: ${finding.severity} ${finding.rule}: ${finding.detail}`, { file, ...finding });
      }
      await flush();
    },
    file: async (file, { columns: _, ...report }, isGuess) => {
      const { preset, rows, errors, warnings, rules } = report;
      const how =
        preset === undefined ? "" : ` as ${preset}${isGuess ? " (guessed from the rows; --preset sets it)" : ""}`;
      line(`${file}: ${plural(rows, "row")}${how}: ${plural(errors, "error")}, ${plural(warnings, "warning")}`, {
        file,
        guessed: isGuess && preset !== undefined,
        ...report,
      });
      const lines = rules.map(({ rule, severity, count: n, effect }) => [`  ${severity}`, rule, count(n), effect]);
      if (!json && lines.length > 0) print(`${table(lines)}\n`);
      await flush();
    },
    mended: async (file, copy, { lines, fixes }) => {
      const sums = Object.entries(fixes).map(([rule, n]) => `${rule} ${count(n)}`);
      const text = `${file}: ${plural(lines, "line")} written to ${copy}; mended: ${sums.join(", ") || "nothing"}`;
      line(text, { file, copy, lines, mended: fixes });
      await flush();
    },
    folder: async (folder, findings) => {
      for (const { effect, ...finding } of findings) {
        const file = join(folder, finding.file);
        line(`${file}: ${finding.severity} ${finding.rule}: ${finding.detail}. ${effect}`, {
          ...finding,
          file,
          effect,
        });
      }
      await flush();
    },
  };
};
