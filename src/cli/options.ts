import { Option } from "commander";
import { CLOUD_DEFAULTS, CONNECTION_DEFAULTS, DEFAULT_ARCHIVE, PULL_DEFAULTS } from "../app/defaults.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import type { Shard } from "../core/selection.ts";
import type { Troubled } from "../core/state.ts";
import { categoryNames } from "./registries.ts";
import { bytes, seconds, several, shard, whole, zone } from "./values.ts";

// Flags as data; times stay text until --tz is known.

const option = (flags: string, description: string, parse?: (text: string, before: never) => unknown): Option => {
  const made = new Option(flags, description);
  return parse ? made.argParser(parse as (text: string, before: unknown) => unknown) : made;
};

export interface SelectionFlags {
  ids?: string;
  agent?: string[];
  since?: string;
  until?: string;
  tz?: string;
  shard?: Shard;
  limit?: number;
}
export const selectionOptions = (): Option[] => [
  option(
    "-i, --ids <file>",
    "instance ids from a file, - for standard input: one per line, NDJSON, or CSV with an id column",
  ),
  option("--agent <id>", "calls of this agent, within --since and --until; repeatable", several),
  option(
    "--since <time>",
    "from here on: 2025-08-14, 2025-08-14T09:30:00+08:00, back from now (24h, 7d), or `last`: on from the last run",
  ),
  option("--until <time>", "up to here, not included (default: now)"),
  option("--tz <zone>", "time zone of bare dates (default: the system's)", zone),
  option("--shard <k/n>", "only part k of n, by hash of the id, to share work among machines", shard),
  option("--limit <n>", "stop after n calls", whole(1)),
];

export interface FilterFlags {
  status?: string;
  minTurns?: number;
  minDuration?: number;
}
export const filterOptions = (): Option[] => [
  option("--status <status>", "only calls with this status, for example Finished"),
  option("--min-turns <n>", "only calls with at least n turns", whole(1)),
  option("--min-duration <time>", "only calls at least this long: seconds, or 90s, 5m", seconds),
];

export interface ArchiveFlags {
  /** False for `--no-archive`. */
  archive: string | false;
}
export const archiveOption = (): Option =>
  option("--archive <file>", "where raw documents are kept").default(DEFAULT_ARCHIVE);
export const noArchiveOption = (): Option => option("--no-archive", "keep nothing beyond this run");

export interface CloudFlags {
  region?: string;
  endpoint?: string;
  profile?: string;
  client: "auto" | "sdk" | "builtin";
  describe: "auto" | "always";
  allowHost?: string[];
  maxDocumentSize: number;
  allowOther?: boolean;
  concurrency: number;
  /** Calls per second. */
  tps?: number;
  retries: number;
}
export const connectionOptions = (): Option[] => [
  option("--region <region>", `the agents' region (default: ${DEFAULT_REGION})`),
  option("--endpoint <url>", "the service's address, instead of the region's"),
  option("--profile <name>", "credentials profile of the aliyun command line"),
  option(
    "--client <which>",
    "client for the service: the vendor's SDK if installed and no proxy is set, or one of them",
  )
    .choices(["auto", "sdk", "builtin"])
    .default(CONNECTION_DEFAULTS.client),
  option("--tps <n>", "at most n requests to the service a second (default: as many as it takes)", whole(1)),
  option("--retries <n>", "how often a request that failed in passing is tried again", whole(0, 100)).default(
    CONNECTION_DEFAULTS.retries,
  ),
];
export const allowOtherOption = (): Option =>
  option("--allow-other", "go on although the archive holds calls of another region or account");
export const cloudOptions = (): Option[] => [
  ...connectionOptions(),
  option(
    "--describe <when>",
    "ask for the details of listed calls too (times, numbers, duration): one more request a call",
  )
    .choices(["auto", "always"])
    .default(CLOUD_DEFAULTS.describe),
  option("--allow-host <host>", "also download from this host, or *.suffix; repeatable", several),
  allowOtherOption(),
  option("--max-document-size <size>", "refuse larger documents", bytes).default(
    CLOUD_DEFAULTS.maxDocumentSize,
    `${CLOUD_DEFAULTS.maxDocumentSize / 1024 ** 2}MB`,
  ),
  option("--concurrency <n>", "calls fetched at once", whole(1, 1024)).default(CLOUD_DEFAULTS.concurrency),
];

/** Of every command that writes to the archive. */
export interface RunFlags {
  /** Seconds. */
  wait?: number;
  maxDuration?: number;
  metricsFile?: string;
}
export const runOptions = (): Option[] => [
  option("--wait <time>", "when another run holds the archive, wait so long for it: 90s, 10m", seconds),
  option("--max-duration <time>", "stop after so long, ready to go on: 25m", seconds),
  option("--metrics-file <file>", "write the run's figures as OpenMetrics text, for node_exporter"),
];

export interface PullFlags extends RunFlags {
  refresh?: boolean;
  dryRun?: boolean;
  errorFile?: string;
  strict?: boolean;
  /** Seconds. */
  lookback: number;
  allowEmpty?: boolean;
}
export const allowEmptyOption = (): Option =>
  option("--allow-empty", "an agent that has never listed a call is warned of, and is no reason for exit 3");
/** Of everything that changes an archive. */
export const dryRunOption = (): Option => option("-n, --dry-run", "say what would be done, and change nothing");

export const pullOptions = (): Option[] => [
  option("--refresh", "fetch again what the archive has"),
  dryRunOption(),
  option("--error-file <file>", "write what is missing, invalid or failed as NDJSON; `-i` takes it back"),
  option("--strict", "exit 3 also for trouble that was reported before or acknowledged"),
  option(
    "--lookback <time>",
    "how far behind its cursor `--since last` looks for calls that came late",
    seconds,
  ).default(PULL_DEFAULTS.lookback, `${PULL_DEFAULTS.lookback / 3600}h`),
  allowEmptyOption(),
  ...runOptions(),
];

export interface ConfigFlags {
  /** False for `--no-config`. */
  config?: string | false;
}
export const configOptions = (): Option[] => [
  option("--config <file>", "settings in YAML or JSON (default: ~/.config/callarchive/config.yaml, if it is there)"),
  option("--no-config", "no config file, not even that one"),
];

export const displayOptions = (): Option[] => [
  option("--log-format <format>", "how logger is written to stderr").choices(["text", "json"]).default("text"),
  option("-q, --quiet", "errors only").conflicts("verbose"),
  option("-v, --verbose", "each call and each retry"),
  option("--no-progress", "no progress line"),
  option("--color <when>", "colors in messages").choices(["auto", "never", "always"]).default("auto"),
];

export interface RedactFlags {
  redact?: string[];
  redactPattern?: string[];
}
export const redactOptions = (): Option[] => [
  new Option("--redact <kinds>", `replace by numbered placeholders: ${categoryNames()}, or all`).argParser(several),
  new Option("--redact-pattern <name=regex>", "replace what this finds by <NAME_1>; repeatable").argParser(
    // A pattern may hold commas.
    (text: string, before: string[] | undefined) => [...(before ?? []), text],
  ),
];

export interface OutputFlags {
  format?: string[];
  output: string;
  rows: "call" | "turn";
  csvBom?: boolean;
  csvGuard: boolean;
  new?: boolean;
  force?: boolean;
  /** False for `--no-clobber`. */
  clobber?: boolean;
  adopt?: boolean;
  threads?: number;
}

export type ExportFlags = SelectionFlags &
  FilterFlags &
  OutputFlags &
  PullFlags &
  CloudFlags &
  ArchiveFlags &
  RedactFlags & { offline?: boolean };

export type PullCommandFlags = SelectionFlags & PullFlags & CloudFlags & ArchiveFlags;

export type RetentionFlags = ArchiveFlags & RunFlags;

export type AckFlags = RetentionFlags & {
  ids?: string;
  all?: boolean;
  state?: Troubled;
  undo?: boolean;
  dryRun?: boolean;
};

export type VerifyFlags = SelectionFlags &
  ConnectionFlags &
  ArchiveFlags & { allowOther?: boolean; remote?: boolean; json?: boolean; allowEmpty?: boolean };

export type ConnectionFlags = Pick<CloudFlags, "region" | "endpoint" | "profile" | "client" | "tps" | "retries">;

export type DoctorFlags = ConnectionFlags & ArchiveFlags & { agent?: string[]; json?: boolean };
