import type { Got } from "../../app/pull/fetch.ts";
import { type TroubleReport, troubleFacts } from "../../app/trouble.ts";
import type { Tally } from "../../core/counts.ts";
import type { Exported, SampleCounts } from "../../core/render-batch.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { count, duration, plural, size } from "../../core/wording.ts";
import type { Talk } from "./logger.ts";

export interface Summary {
  tally: Tally;
  got: Got;
  trouble: TroubleReport;
  exported: Exported;
  /** Where the files are, seen from the current folder; undefined for a stream. */
  place?: string;
  files: readonly FileFacts[];
  samples?: SampleCounts;
  /** Places taken out, by kind. */
  redacted?: Record<string, number>;
  ms: number;
  exitCode: number;
}

/** The closing words: as sentences, or as the one `summary` line of JSON logs. */
export const tellSummary = (talk: Talk, summary: Summary): void => {
  const { tally, got, trouble, exported, files, samples, redacted, ms, exitCode } = summary;
  talk.record("summary", {
    ...tally,
    ...troubleFacts(trouble),
    skippedBy: { ...exported.skipped },
    fetched: got.settled,
    known: got.known,
    notRefreshed: got.notRefreshed,
    unlistedAgents: got.unlisted,
    silentAgents: got.silentAgents,
    listedLate: got.listedLate,
    bytes: got.bytes,
    limited: got.limited,
    throttled: got.throttled,
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
  const [sum = "", ...more] = lines(summary);
  talk.say(sum, exitCode === 0 ? "green" : "yellow");
  for (const line of more) talk.say(line);
};

/** How many calls a single listing would have missed. */
export const listedLate = ({ listedLate }: Got): string =>
  `${plural(listedLate, "call")} listed only when the pages were read again.`;

/** One line, or none. */
export const throttledLine = (n: number): string[] =>
  n > 0 ? [`${plural(n, "request")} ${n === 1 ? "was" : "were"} throttled and made again.`] : [];

const lines = ({ tally, got, trouble, exported, place, files, samples, redacted, ms }: Summary): string[] => {
  const { selected, pending, ...parts } = tally;
  const named = Object.entries({ ...parts, ...(pending > 0 && { pending }) });
  const sum = named.map(([name, n]) => `${count(n)} ${name}`).join(" + ");
  const told = [`${count(selected)} selected = ${sum}`];
  told.push(...trouble.lines);
  const skipped = Object.entries(exported.skipped).map(([reason, n]) => `--${reason} ${count(n)}`);
  if (skipped.length > 0) told.push(`skipped by ${skipped.join(", ")}`);
  told.push(
    `${plural(got.settled, "call")} asked for (${size(got.bytes)}), ${count(got.known)} known from before; ${duration(ms)}`,
  );
  told.push(...throttledLine(got.throttled));
  if (got.limited) told.push("--limit ended the selection; there may be more.");
  if (got.listedLate > 0) told.push(listedLate(got));
  if (got.notRefreshed > 0)
    told.push(`${plural(got.notRefreshed, "call")} could not be refreshed; what was stored stays.`);
  if (tally.open > 0) told.push(`${plural(tally.open, "call")} not finished yet: run again later.`);
  if (pending > 0)
    told.push(
      `${plural(pending, "call")} ${pending === 1 ? "was" : "were"} never asked for: an earlier run ended before.`,
    );
  if (samples) {
    const dropped = Object.entries(samples.dropped).map(([reason, n]) => `${reason} ${count(n)}`);
    told.push(
      `${plural(samples.samples, "sample")}${dropped.length > 0 ? `; calls without one: ${dropped.join(", ")}` : ""}`,
    );
  }
  if (redacted) {
    const kinds = Object.entries(redacted).map(([name, n]) => `${name} ${count(n)}`);
    told.push(`redacted: ${kinds.join(", ") || "nothing found"}`);
  }
  for (const { name, rows, bytes } of files)
    told.push(`${place ? `${place}/${name}` : name}  ${plural(rows, "row")}, ${size(bytes)}`);
  return told;
};
