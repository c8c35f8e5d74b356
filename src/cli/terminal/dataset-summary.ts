import { relative, resolve } from "node:path";
import type { DatasetRun } from "../../app/dataset/run.ts";
import { oneLine } from "../../core/printable.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { count, plural } from "../../core/wording.ts";
import type { Logger } from "./logger.ts";
import { fileLines, redactedLine } from "./output-lines.ts";

/** How many reasons for dropped calls the summary lists. */
const MOST_REASONS = 8;

type Facts = DatasetRun["facts"];

/** The closing lines of a data set. */
export const printDatasetSummary = (
  logger: Logger,
  { facts, absent }: DatasetRun,
  { flags, io }: { flags: { output: string }; io: { cwd: string } },
): void => {
  const { task, calls, samples, dropped, lost, unwritten, truncated, files, redacted } = facts;
  const summary: object = {
    task,
    calls,
    samples,
    dropped,
    lost,
    unwritten,
    ...(task === "chat" && { truncated: { ...truncated } }),
    files: files.map((file) => ({ ...file })),
    absent,
    ...(redacted && { redacted }),
  };
  logger.record("summary", summary as JsonObject);
  const noun = task === "chat" ? "call" : "conversation";
  const sum = `${plural(calls.read, noun)} read = ${count(calls.kept)} kept + ${count(calls.dropped)} dropped`;
  logger.message(`${sum}; ${plural(samples, "sample")}`, "green");
  printReasons(
    logger,
    dropped.map(({ calls: n, ...why }) => ({ n, ...why })),
  );
  if (task === "text-to-sql") printEntries(logger, facts);
  else if (truncated.answers > 0)
    logger.message(
      `  truncated answers learned: ${count(truncated.learned)} (callers cut off ${plural(truncated.answers, "answer")})`,
      truncated.learned > 0 ? "yellow" : undefined,
    );
  if (redacted) logger.message(`  ${redactedLine(redacted)}`);
  const place = relative(io.cwd, resolve(io.cwd, flags.output)) || ".";
  for (const line of fileLines(files, place, "sample")) logger.message(line);
  printUnwritten(logger, facts);
  const listed = task === "chat" ? `calls (${count(calls.dropped)})` : "conversations and entries";
  logger.message(`Open ${place}/report.html to see the data set. ${place}/dropped.ndjson lists the dropped ${listed}.`);
};

const printReasons = (logger: Logger, reasons: readonly { step: string; reason: string; n: number }[]): void => {
  for (const { step, reason, n } of reasons.slice(0, MOST_REASONS))
    logger.message(`  ${count(n)} dropped by ${step}: ${oneLine(reason.split(":")[0] ?? "")}`);
};

/** Each entry of the query log is a sample, or is lost. */
const printEntries = (logger: Logger, { samples, lost }: Facts): void => {
  const dropped = lost.reduce((all, { samples: n }) => all + n, 0);
  const sum = `${plural(samples, "sample")} + ${count(dropped)} dropped`;
  logger.message(`${count(samples + dropped)} ${samples + dropped === 1 ? "entry" : "entries"} read = ${sum}`);
  printReasons(
    logger,
    lost.map(({ samples: n, ...why }) => ({ n, ...why })),
  );
};

/** What a trainer will miss: samples that its preset cannot express, and presets without a row. */
const printUnwritten = (logger: Logger, { task, calls, samples, files, unwritten }: Facts): void => {
  if (task === "text-to-sql" && calls.read === 0)
    logger.message(
      "No conversation of the query log is selected: `callarchive pull queries` fetches them into the archive.",
      "yellow",
    );
  else if (samples === 0) logger.message("The data set is empty: no preset has a row.", "yellow");
  for (const { preset, samples: n, reasons } of unwritten) {
    const rows = files.some((file) => file.preset === preset && file.rows > 0);
    const why = reasons.map((each) => `${each.reason} ${count(each.samples)}`).join(", ");
    logger.message(`${preset}: ${rows ? "" : "no rows; "}${plural(n, "sample")} not written: ${why}`, "yellow");
  }
};
