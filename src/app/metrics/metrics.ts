import { resolve } from "node:path";
import { fillWhole } from "../../sinks/whole-file.ts";
import type { AppContext } from "../context.ts";
import { openMetrics, type Sample } from "./open-metrics.ts";
import type { Standing } from "./standing.ts";

/** The counts of a run, for its metrics. */
export interface Figures {
  /** Missing, invalid and failed calls: new, known and acknowledged. */
  trouble?: Readonly<Record<string, number>>;
  /** By state. */
  calls: Readonly<Record<string, number>>;
  /** Of the documents that the run fetched. */
  bytes: number;
  /** The start of the oldest listed call that has not ended and has no record yet. */
  runningSince?: string | undefined;
}

/** Everything that is known when a run ends. */
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
    gauge("run_calls", "Calls of the last run, by state.", each("state", figures.calls));
    if (figures.trouble)
      gauge(
        "run_trouble",
        "Missing, invalid and failed calls of the last run: new, known from earlier runs, or acknowledged.",
        each("kind", figures.trouble),
      );
    gauge("run_fetched_bytes", "Size of the documents that the last run fetched.", one(figures.bytes));
  }
  gauge("run_retries", "Requests of the last run that were repeated.", one(retries.all));
  gauge("run_throttles", "Requests of the last run that the service had throttled.", one(retries.throttled));
  if (standing) addStanding(gauge, standing, figures?.runningSince, now);
  await fillWhole(resolve(host.cwd, file), host, context, async (to) => to.add(text()), 0o644);
};

/** Ages instead of times, so that an alert is a plain comparison. Never negative, even if the clock was set back. */
const addStanding = (gauge: Gauge, standing: Standing, runningSince: string | undefined, now: number): void => {
  const age = (at: Date): number => Math.max(0, now - at.getTime()) / 1000;
  const { lastSuccess, cursors, openSince, fileBytes, storedBytes, rawBytes } = standing;
  if (lastSuccess)
    gauge("last_success_timestamp_seconds", "When the last complete run ended.", [[{}, lastSuccess.getTime() / 1000]]);
  gauge(
    "cursor_age_seconds",
    "Age of the cursor at the end of the run: all older calls of the agent are settled.",
    // The mark of the query log is the time of its newest entry, however long ago that was.
    cursors
      .filter(({ agentId }) => !/^queries(:|$)/.test(agentId))
      .map(({ agentId, settledUntil }) => [{ agent: agentId }, age(new Date(settledUntil))]),
  );
  gauge("oldest_open_age_seconds", "Age of the oldest open conversation; 0 if there is none.", [
    [{}, Math.max(0, ...[openSince, runningSince].map((at) => (at ? age(new Date(at)) : 0)))],
  ]);
  const { atRisk } = standing;
  gauge(
    "at_risk",
    "Call logs, audio and recordings that the cloud may delete before the archive has them.",
    atRisk.map(({ what, count }) => [{ what }, count]),
  );
  gauge(
    "at_risk_oldest_age_seconds",
    "Age of the oldest of these.",
    atRisk.flatMap(({ what, oldest }): Sample[] => (oldest ? [[{ what }, age(oldest)]] : [])),
  );
  if (fileBytes !== undefined) gauge("archive_file_bytes", "Size of the archive on disk.", [[{}, fileBytes]]);
  gauge("archive_stored_bytes", "Size of the documents in the archive, compressed.", [[{}, storedBytes]]);
  gauge("archive_raw_bytes", "Size of the documents in the archive, before compression.", [[{}, rawBytes]]);
};

type Gauge = ReturnType<typeof openMetrics>["gauge"];
