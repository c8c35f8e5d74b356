import type { ExportFigures } from "../../app/export/export.ts";
import type { PullResult } from "../../app/pull/fetch.ts";
import type { PullPlan } from "../../app/pull/plan.ts";
import type { PullRun } from "../../app/pull/pull.ts";
import { type TroubleReport, troubleFacts } from "../../app/trouble.ts";
import { count, duration, plural, size } from "../../core/wording.ts";
import type { Logger } from "./logger.ts";
import { fileLines, redactedLine } from "./output-lines.ts";

/** The closing lines of an export: sentences for people, or the one `summary` line of JSON logs. */
export const printExportSummary = (logger: Logger, summary: ExportFigures, exitCode: number): void => {
  const { tally, pulled, trouble, exported, files, samples, redacted, ms } = summary;
  logger.record("summary", {
    ...tally,
    ...troubleFacts(trouble),
    skippedBy: { ...exported.skipped },
    revised: exported.revised,
    fetched: pulled.settled,
    known: pulled.known,
    notRefreshed: pulled.notRefreshed,
    unlistedAgents: pulled.unlisted,
    silentAgents: pulled.silentAgents,
    listedLate: pulled.listedLate,
    bytes: pulled.bytes,
    limited: pulled.limited,
    throttled: pulled.throttled,
    files: files.map((file) => ({ ...file })),
    ...(samples && {
      samples: samples.samples,
      dropped: { ...samples.dropped },
      changed: { ...samples.changed },
    }),
    ...(redacted && { redacted }),
    ms,
    exitCode,
  });
  const [sum = "", ...more] = exportLines(summary);
  logger.message(sum, exitCode === 0 ? "green" : "yellow");
  for (const line of more) logger.message(line);
};

/** The closing lines of a pull. */
export const printPullSummary = (logger: Logger, run: PullRun, exitCode: number): void => {
  const { pulled, states, selected, trouble, ms } = run;
  logger.record("summary", { ...pulled, ...states, selected, ...troubleFacts(trouble), ms, exitCode });
  const sum = Object.entries(states).map(([state, n]) => `${count(n)} ${state}`);
  logger.message(`${count(selected)} selected = ${sum.join(" + ")}`, exitCode === 0 ? "green" : "yellow");
  for (const line of [...troubleLines(trouble), ...pullLines(pulled, ms)]) logger.message(line);
};

/** Prints what a pull would do. */
export const printPlan = (logger: Logger, { selected, known, running, unreadable }: PullPlan): void => {
  logger.record("plan", { selected, known, running, unreadable });
  logger.message(`${plural(selected, "call")} selected: ${count(known)} known, ${count(selected - known)} to fetch.`);
  if (running > 0) logger.message(`${plural(running, "more call")} not ended yet.`);
};

const exportLines = ({
  tally,
  pulled,
  trouble,
  exported,
  place,
  files,
  samples,
  redacted,
  ms,
}: ExportFigures): string[] => {
  const { selected, pending, ...parts } = tally;
  const named = Object.entries({ ...parts, ...(pending > 0 && { pending }) });
  const lines = [`${count(selected)} selected = ${named.map(([name, n]) => `${count(n)} ${name}`).join(" + ")}`];
  lines.push(...troubleLines(trouble));
  const skipped = Object.entries(exported.skipped).map(([reason, n]) => `--${reason} ${count(n)}`);
  if (skipped.length > 0) lines.push(`skipped by ${skipped.join(", ")}`);
  if (exported.revised > 0)
    lines.push(
      `${count(exported.revised)} of these again, because they changed after their last delivery (revisions).`,
    );
  lines.push(...pullLines(pulled, ms));
  if (pulled.notRefreshed > 0)
    lines.push(`${plural(pulled.notRefreshed, "call")} could not be refreshed; the stored documents stay.`);
  if (tally.open > 0) lines.push(`${plural(tally.open, "call")} not ended yet: run again later.`);
  if (pending > 0)
    lines.push(
      `${plural(pending, "call")} ${pending === 1 ? "was" : "were"} not fetched: an earlier run ended before that.`,
    );
  if (samples) {
    const dropped = Object.entries(samples.dropped).map(([reason, n]) => `${reason} ${count(n)}`);
    lines.push(
      `${plural(samples.samples, "sample")}${dropped.length > 0 ? `; calls without a sample: ${dropped.join(", ")}` : ""}`,
    );
  }
  if (redacted) lines.push(redactedLine(redacted));
  lines.push(...fileLines(files, place, "row"));
  return lines;
};

const pullLines = ({ settled, bytes, known, throttled, limited, listedLate }: PullResult, ms: number): string[] => {
  const lines = [
    `${plural(settled, "call")} requested (${size(bytes)}), ${count(known)} already in the archive; ${duration(ms)}`,
  ];
  if (throttled > 0)
    lines.push(`${plural(throttled, "request")} ${throttled === 1 ? "was" : "were"} throttled and repeated.`);
  if (limited) lines.push("Stopped at --limit; there may be more calls.");
  if (listedLate > 0) lines.push(`${plural(listedLate, "call")} listed only when the pages were read a second time.`);
  return lines;
};

const troubleLines = ({ knownTrouble, acknowledged, leavesKnownOut, strict }: TroubleReport): string[] => {
  const effect = strict ? "counted because of --strict" : "not counted";
  const lines: string[] = [];
  if (knownTrouble > 0 && leavesKnownOut)
    lines.push(`${count(knownTrouble)} reported before, ${effect}; "callarchive ack ID…" acknowledges them.`);
  if (acknowledged > 0) lines.push(`${count(acknowledged)} acknowledged, ${effect}.`);
  return lines;
};
