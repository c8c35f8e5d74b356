import { basename } from "node:path";
import type { Exported } from "../core/export.ts";
import type { Tally } from "../core/tally.ts";
import type { FileFacts } from "../sinks/part-file.ts";
import type { SampleCounts } from "../writers/index.ts";
import type { Talk } from "./log.ts";
import { count, duration, paint, plural, size } from "./render.ts";

export interface Got {
  /** Calls that are still going on and have neither id nor link. */
  unnamed: number;
  /** Ids that the archive does not have, of an offline selection. */
  absent: number;
  /** Settled by this run, and their bytes. */
  settled: number;
  bytes: number;
  /** In the archive before. */
  known: number;
  /** `--limit` ended the selection. */
  limited: boolean;
}

export interface Summary {
  tally: Tally;
  got: Got;
  exported: Exported;
  /** Where the files are; undefined for a stream. */
  place?: string;
  files: readonly FileFacts[];
  samples?: SampleCounts;
  ms: number;
  exitCode: number;
}

/** The closing words: as sentences, or as the one `summary` line of JSON logs. */
export const tellSummary = (talk: Talk, summary: Summary): void => {
  const { tally, got, exported, files, samples, ms } = summary;
  talk.record("summary", {
    ...tally,
    skippedBy: { ...exported.skipped },
    fetched: got.settled,
    known: got.known,
    bytes: got.bytes,
    limited: got.limited,
    files: files.map((file) => ({ ...file })),
    ...(samples && {
      samples: samples.samples,
      dropped: Object.fromEntries(samples.dropped),
      changed: Object.fromEntries(samples.changed),
    }),
    ms,
    exitCode: summary.exitCode,
  });
  for (const line of lines(talk, summary)) talk.say(line);
};

const lines = (talk: Talk, { tally, got, exported, place, files, samples, ms }: Summary): string[] => {
  const { selected, ...parts } = tally;
  const whole = tally.exported + tally.skipped + tally.open === selected;
  const sum = Object.entries(parts).map(([name, n]) => `${count(n)} ${name}`);
  const told = [paint(talk.color, whole ? "green" : "yellow", `${count(selected)} selected = ${sum.join(" + ")}`)];
  const skipped = Object.entries(exported.skipped).map(([reason, n]) => `--${reason} ${count(n)}`);
  if (skipped.length > 0) told.push(`skipped by ${skipped.join(", ")}`);
  told.push(
    `${plural(got.settled, "call")} asked for (${size(got.bytes)}), ${count(got.known)} known from before; ${duration(ms)}`,
  );
  if (got.limited) told.push("--limit ended the selection; there may be more.");
  if (tally.open > 0) told.push(`${plural(tally.open, "call")} not finished yet: run again later.`);
  if (samples) {
    const dropped = [...samples.dropped].map(([reason, n]) => `${reason} ${count(n)}`);
    told.push(
      `${plural(samples.samples, "sample")}${dropped.length > 0 ? `; calls without one: ${dropped.join(", ")}` : ""}`,
    );
  }
  for (const { name, rows, bytes } of files)
    told.push(`${place === undefined ? basename(name) : `${place}/${name}`}  ${plural(rows, "row")}, ${size(bytes)}`);
  return told;
};
