import { Option } from "commander";
import {
  CLOUD_DEFAULTS,
  CONNECTION_DEFAULTS,
  DEFAULT_ARCHIVE,
  PULL_DEFAULTS,
  REDACT_TIMEOUT,
} from "../app/defaults.ts";
import type { ArchiveRequest, CloudRequest, FilterRequest, OutputRequest, RedactRequest } from "../app/requests.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import type { Shard } from "../core/selection.ts";
import { SOURCES } from "../core/sources.ts";
import type { Troubled } from "../core/state.ts";
import type { SourceName } from "../core/transcript.ts";
import { REDACT_CATEGORIES } from "../transforms/redact/categories.ts";
import { bytes, seconds, several, severalOf, shard, whole, zone } from "./values.ts";

// --since and --until stay text here, because their meaning depends on --tz.

export const option = (
  flags: string,
  description: string,
  parse?: (text: string, before: never) => unknown,
): Option => {
  const result = new Option(flags, description);
  return parse ? result.argParser(parse as (text: string, before: unknown) => unknown) : result;
};

export interface SelectionFlags extends SourceFlags {
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
    "read instance ids from a file (- for standard input): one per line, NDJSON, or CSV with an id column",
  ),
  option("--agent <id>", "calls of this agent, between --since and --until; repeatable", several),
  option(
    "--since <time>",
    "start of the range: 2025-08-14, 2025-08-14T09:30:00+08:00, an age (24h, 7d), or `last` to continue after the last run",
  ),
  option("--until <time>", "end of the range, not included (default: now)"),
  option("--tz <zone>", "time zone of dates that have none (default: the system's)", zone),
  option("--shard <k/n>", "only part k of n, by hash of the id, to divide the work between machines", shard),
  option("--limit <n>", "stop after n calls", whole(1)),
];

export interface SourceFlags {
  source?: SourceName[];
}
/** The flag of every command that reads or deletes stored conversations. */
export const sourceOption = (): Option =>
  option("--source <name>", "only conversations of this source; repeatable (default: all that the archive has)")
    .choices(SOURCES)
    .argParser(severalOf(SOURCES) as (text: string, before: unknown) => unknown);

/** For `doctor`, which reads no conversations. */
export const doctorSourceOption = (): Option => {
  const source = sourceOption();
  source.description =
    "check what pulls of this source need; repeatable (default: calls, and the sources that the archive has)";
  return source;
};

export type FilterFlags = FilterRequest;
export const filterOptions = (): Option[] => [
  option("--status <status>", "only calls with this status, for example Finished"),
  option("--min-turns <n>", "only calls with at least n turns", whole(1)),
  option("--min-duration <time>", "only calls that lasted at least this long: seconds, or 90s, 5m", seconds),
];

/** `archive` is false for `--no-archive`. */
export type ArchiveFlags = ArchiveRequest;
export const archiveOption = (): Option =>
  option("--archive <file>", "file that stores the raw records and the state of each call").default(DEFAULT_ARCHIVE);
export const settleOption = (): Option =>
  option(
    "--settle <time>",
    "a chat session counts as open until this long after its last event (default: 30m)",
    seconds,
  );
export const noArchiveOption = (): Option =>
  option("--no-archive", "use a temporary archive that is deleted after this run");

export type CloudFlags = Omit<CloudRequest, "keys">;
export const connectionOptions = (): Option[] => [
  option("--region <region>", `region of the agents (default: ${DEFAULT_REGION})`),
  option("--endpoint <url>", "address of the service, instead of the region's address"),
  option("--profile <name>", "use the credentials of this profile of the aliyun CLI"),
  option(
    "--client <which>",
    "client for the service; auto uses the vendor's SDK if it is installed and no proxy is set",
  )
    .choices(["auto", "sdk", "builtin"])
    .default(CONNECTION_DEFAULTS.client),
  option("--tps <n>", "send at most n requests per second (default: as many as the service accepts)", whole(1)),
  option("--retries <n>", "how often to repeat a request after a temporary failure", whole(0, 100)).default(
    CONNECTION_DEFAULTS.retries,
  ),
];
export const allowOtherOption = (): Option =>
  option("--allow-other", "continue although the archive holds calls of another region or account");
export const cloudOptions = (): Option[] => [
  ...connectionOptions(),
  option(
    "--describe <when>",
    "always: also request the details of listed calls (times, numbers, duration), one more request per call",
  )
    .choices(["auto", "always"])
    .default(CLOUD_DEFAULTS.describe),
  option("--allow-host <host>", "also allow downloads from this host, or *.suffix; repeatable", several),
  allowOtherOption(),
  option("--max-document-size <size>", "reject larger documents", bytes).default(
    CLOUD_DEFAULTS.maxDocumentSize,
    `${CLOUD_DEFAULTS.maxDocumentSize / 1024 ** 2}MB`,
  ),
  option("--concurrency <n>", "number of calls to fetch at the same time", whole(1, 1024)).default(
    CLOUD_DEFAULTS.concurrency,
  ),
];

/** Flags of every command that writes to the archive. */
export interface RunFlags {
  /** Seconds. */
  wait?: number;
  maxDuration?: number;
  metricsFile?: string;
}
export const maxDurationOption = (): Option =>
  option("--max-duration <time>", "stop after this time, for example 25m; the same command continues later", seconds);
export const runOptions = (): Option[] => [
  option("--wait <time>", "if another run holds the archive, wait up to this long: 90s, 10m", seconds),
  maxDurationOption(),
  option("--metrics-file <file>", "write metrics of the run as OpenMetrics text, for node_exporter"),
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
  option("--allow-empty", "only warn about an agent, a bus or a log that has never listed anything, instead of exit 3");
/** The flag of every command that changes the archive. */
export const dryRunOption = (): Option => option("-n, --dry-run", "show what would be done, and change nothing");

export const pullOptions = (): Option[] => [
  option("--refresh", "fetch calls again that the archive already has"),
  dryRunOption(),
  option("--error-file <file>", "write missing, invalid and failed calls to this file as NDJSON; `-i` reads it"),
  option("--strict", "exit 3 also for missing, invalid or failed calls that were reported before or acknowledged"),
  option(
    "--lookback <time>",
    "with --since last, and for queries: how far before the end of the last run to look for what was listed late",
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
  option("--config <file>", "settings in YAML or JSON (default: ~/.config/callarchive/config.yaml, if it exists)"),
  option("--no-config", "read no config file, not even the default one"),
];

export const displayOptions = (): Option[] => [
  option("--log-format <format>", "format of the messages on stderr").choices(["text", "json"]).default("text"),
  option("-q, --quiet", "print errors only").conflicts("verbose"),
  option("-v, --verbose", "also print each call and each retry"),
  option("--no-progress", "show no progress line"),
  option("--color <when>", "when to color messages").choices(["auto", "never", "always"]).default("auto"),
];

export type RedactFlags = RedactRequest;
export const redactOptions = (): Option[] => [
  new Option(
    "--redact <kinds>",
    `replace personal data by numbered placeholders: ${REDACT_CATEGORIES.join(", ")}, or all`,
  ).argParser(several),
  new Option("--redact-pattern <name=regex>", "replace what this pattern matches by <NAME_1>; repeatable").argParser(
    // Not split at commas: a pattern may contain them.
    (text: string, before: string[] | undefined) => [...(before ?? []), text],
  ),
  option(
    "--redact-command <command>",
    "also replace what this program finds, for example names; see docs/redaction.md",
  ),
  option("--redact-timeout <time>", "how long that program may be silent, for example 5m", seconds).default(
    REDACT_TIMEOUT,
    `${REDACT_TIMEOUT / 60}m`,
  ),
];

/** `clobber` is false for `--no-clobber`. */
export type OutputFlags = Omit<OutputRequest, "formats"> & { format?: string[] };

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
