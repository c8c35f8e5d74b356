import { relative, resolve } from "node:path";
import type { DatasetRun } from "../../app/dataset/run.ts";
import { oneLine } from "../../core/printable.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { count, plural } from "../../core/wording.ts";
import type { Logger } from "./logger.ts";
import { fileLines, redactedLine } from "./output-lines.ts";

/** How many reasons for dropped calls the summary lists. */
const MOST_REASONS = 8;

/** The closing lines of a data set. */
export const printDatasetSummary = (
  logger: Logger,
  { facts, absent }: DatasetRun,
  { flags, io }: { flags: { output: string }; io: { cwd: string } },
): void => {
  const { calls, samples, dropped, files, redacted } = facts;
  const summary: object = {
    calls,
    samples,
    dropped,
    files: files.map((file) => ({ ...file })),
    absent,
    ...(redacted && { redacted }),
  };
  logger.record("summary", summary as JsonObject);
  const sum = `${plural(calls.read, "call")} read = ${count(calls.kept)} kept + ${count(calls.dropped)} dropped`;
  logger.message(`${sum}; ${plural(samples, "sample")}`, "green");
  for (const { step, reason, calls: n } of dropped.slice(0, MOST_REASONS))
    logger.message(`  ${count(n)} dropped by ${step}: ${oneLine(reason.split(":")[0] ?? "")}`);
  if (redacted) logger.message(`  ${redactedLine(redacted)}`);
  const place = relative(io.cwd, resolve(io.cwd, flags.output)) || ".";
  for (const line of fileLines(files, place, "sample")) logger.message(line);
  logger.message(
    `Open ${place}/report.html to see the data set. ${place}/dropped.ndjson lists the dropped calls (${count(calls.dropped)}).`,
  );
};
