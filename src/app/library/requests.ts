import type { DatasetRequest as FullDataset } from "../dataset/request.ts";
import type { DATASET_DEFAULTS, EXPORT_DEFAULTS, PULL_DEFAULTS, WithDefaults } from "../defaults.ts";
import type { ExportRequest as FullExport, PullRequest as FullPull } from "../requests.ts";

/** Times of a program, beside those that people write. */
interface Times {
  /** From then on: a date, a text such as `2025-08-14` or `7d`, or `last`: on from the last run. */
  since?: Date | string;
  /** Not included. @default now */
  until?: Date | string;
}

type Timed<Request> = Omit<Request, "since" | "until"> & Times;

/** Which calls to fetch, from where, and into which archive. */
export type PullRequest = Timed<WithDefaults<FullPull, typeof PULL_DEFAULTS>>;

/** The same, and what to write where. */
export type ExportRequest = Timed<WithDefaults<Omit<FullExport, "fillCommand">, typeof EXPORT_DEFAULTS>>;

/** What of an archive becomes a fine-tuning set, and how. */
export type DatasetRequest = Timed<WithDefaults<FullDataset, typeof DATASET_DEFAULTS>>;

/** The request as the use cases read it: times as texts, and nothing that is there and undefined, which would hide a default. */
export const plain = <R extends Times>(request: R): Omit<R, keyof Times> & { since?: string; until?: string } => {
  const { since, until, ...rest } = request;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(given) as typeof rest),
    ...(since !== undefined && { since: textOf(since) }),
    ...(until !== undefined && { until: textOf(until) }),
  };
};

const textOf = (time: Date | string): string => (typeof time === "string" ? time : time.toISOString());
