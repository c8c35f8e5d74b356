import { resolve } from "node:path";
import { fillWhole } from "../../sinks/whole-file.ts";
import type { AppContext } from "../context.ts";
import { openMetrics, type Sample } from "./open-metrics.ts";
import type { Standing } from "./standing.ts";

/** What a run counted, by state, and the bytes of the documents it fetched. */
export interface Figures {
  /** Of the calls that are missing, invalid or failed. */
  trouble?: Readonly<Record<string, number>>;
  calls: Readonly<Record<string, number>>;
  bytes: number;
  /** Since when calls go on that have no record yet. */
  runningSince?: string | undefined;
}

/** All that is known when a run ends, as far as it came. */
export interface RunFigures {
  figures: Figures | undefined;
  retries: { all: number; throttled: number };
  standing: Standing | undefined;
}

/**
Writes a run's figures as OpenMetrics text, whole, for node_exporter's textfile collector.

Each command has a file of its own, or they would overwrite each other.
*/
export const writeMetrics = async (
  file: string | undefined,
  context: AppContext,
  command: string,
  startedAt: Date,
  exitCode: number,
  { figures, retries, standing }: RunFigures,
): Promise<void> => {
  if (file === undefined) return;
  const { host } = context;
  const now = host.now().getTime();
  const { gauge, text } = openMetrics("callarchive", { command });
  const one = (value: number): Sample[] => [[{}, value]];
  const each = (name: string, values: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(values).map(([label, n]) => [{ [name]: label }, n]);
  gauge("run_end_timestamp_seconds", "When the last run ended.", one(now / 1000));
  gauge("run_duration_seconds", "How long the last run took.", one((now - startedAt.getTime()) / 1000));
  gauge("run_exit_code", "How the last run ended; 0 is complete.", one(exitCode));
  if (figures) {
    gauge("run_calls", "Calls of the last run, by what came of them.", each("state", figures.calls));
    if (figures.trouble)
      gauge(
        "run_trouble",
        "Missing, invalid and failed calls of the last run, by whether they are news.",
        each("kind", figures.trouble),
      );
    gauge("run_fetched_bytes", "Documents that the last run fetched.", one(figures.bytes));
  }
  gauge("run_retries", "Requests of the last run that were made again.", one(retries.all));
  gauge("run_throttles", "Requests of the last run that the service had throttled.", one(retries.throttled));
  if (standing) tellStanding(gauge, standing, figures?.runningSince, now);
  await fillWhole(resolve(host.cwd, file), host, context, async (to) => to.add(text()), 0o644);
};

/** Ages, not times, so that an alert is a plain comparison. A clock that was set back makes none negative. */
const tellStanding = (gauge: Gauge, standing: Standing, runningSince: string | undefined, now: number): void => {
  const age = (at: Date): number => Math.max(0, now - at.getTime()) / 1000;
  const { lastSuccess, cursors, openSince, fileBytes, storedBytes, rawBytes } = standing;
  if (lastSuccess)
    gauge("last_success_timestamp_seconds", "When the last run ended that was complete.", [
      [{}, lastSuccess.getTime() / 1000],
    ]);
  gauge(
    "cursor_age_seconds",
    "How far behind the end of the run everything of an agent is settled.",
    cursors.map(({ agentId, settledUntil }) => [{ agent: agentId }, age(new Date(settledUntil))]),
  );
  gauge("oldest_open_age_seconds", "Age of the oldest conversation that is still open; 0 without one.", [
    [{}, Math.max(0, ...[openSince, runningSince].map((at) => (at ? age(new Date(at)) : 0)))],
  ]);
  if (fileBytes !== undefined) gauge("archive_file_bytes", "The archive on disk.", [[{}, fileBytes]]);
  gauge("archive_stored_bytes", "Documents in the archive, as they are stored.", [[{}, storedBytes]]);
  gauge("archive_raw_bytes", "Documents in the archive, before they were compressed.", [[{}, rawBytes]]);
};

type Gauge = ReturnType<typeof openMetrics>["gauge"];
