import type { Shard } from "../core/selection.ts";
import type { Troubled } from "../core/state.ts";

// What use cases are asked for: plain values, checked where they are used. Paths may be relative to the host's folder.

export interface ArchiveRequest {
  /** The archive's file; false: a private temporary one that keeps nothing beyond the run. */
  archive: string | false;
}

/** Calls by id, or by agent and time. */
export interface SelectionRequest {
  /** Instance ids, in any letter case. */
  ids?: readonly string[];
  /** A file of them, `-` for standard input: one per line, NDJSON, or CSV with an id column. */
  idsFile?: string;
  agents?: readonly string[];
  /** A time as `core/selection.ts` reads it, or `last`: on from the last run. */
  since?: string;
  /** Not included. @default now */
  until?: string;
  /** Time zone of bare dates. @default the system's */
  tz?: string;
  /** Only this part, by hash of the id. */
  shard?: Shard;
  /** Stop after so many calls. */
  limit?: number;
}

export interface FilterRequest {
  /** Case does not matter. */
  status?: string;
  minTurns?: number;
  /** Seconds. */
  minDuration?: number;
}

export interface ConnectionRequest {
  /** @default cn-shanghai */
  region?: string;
  /** Instead of the region's address. */
  endpoint?: string;
  /** Credentials profile of the aliyun command line. */
  profile?: string;
  /** Used instead of the chain of credentials. */
  keys?: { accessKeyId: string; accessKeySecret: string };
  client: "auto" | "sdk" | "builtin";
  /** Requests per second at most. @default as many as the service takes */
  tps?: number;
  /** How often a request that failed temporarily is made again. */
  retries: number;
}

export interface CloudRequest extends ConnectionRequest {
  /** `always` asks for the details of listed calls too: one more request a call. */
  describe: "auto" | "always";
  /** More hosts to download from: exact, or `*.suffix`. */
  allowHost?: readonly string[];
  /** Bytes. */
  maxDocumentSize: number;
  /** Calls fetched at once. */
  concurrency: number;
  /** Go on although the archive holds calls of another region or account. */
  allowOther?: boolean;
}

/** Of every use case that writes to the archive. */
export interface RunRequest {
  /** How long to wait for another run that holds the archive, in seconds. @default 0 */
  wait?: number;
  /** Where the run's figures go as OpenMetrics text. */
  metricsFile?: string;
}

export interface PullRequest extends SelectionRequest, ArchiveRequest, CloudRequest, RunRequest {
  /** Fetch again what the archive has. */
  refresh?: boolean;
  /** Where missing, invalid and failed calls are written as NDJSON. */
  errorFile?: string;
  /** Count trouble that was reported before or acknowledged, too. */
  strict?: boolean;
  /** How far behind its cursor `since: "last"` begins, in seconds. */
  lookback: number;
  /** An agent that has never listed a call is no trouble. */
  allowEmpty?: boolean;
}

export interface OutputRequest {
  /** @default by the ending of `output`, else ndjson */
  formats?: readonly string[];
  /** A file, a folder (ending in `/` or there already), or `-` for standard output. */
  output: string;
  rows: "call" | "turn";
  csvBom?: boolean;
  csvGuard: boolean;
  /** Write only what this output has not had yet, as a new part. */
  new?: boolean;
  /** Replace files that are not ours, too. */
  force?: boolean;
  /** False: an output that is there is an error. @default true */
  clobber?: boolean;
  /** With `new`: learn from the output's files what it has had. */
  adopt?: boolean;
  /** Threads that format conversations. @default by the machine's cores */
  threads?: number;
}

export interface RedactRequest {
  /** Categories, or `all`. */
  redact?: readonly string[];
  /** As `NAME=regex`. */
  redactPattern?: readonly string[];
}

export interface ExportRequest extends PullRequest, FilterRequest, OutputRequest, RedactRequest {
  /** Contact nothing: write what the archive has. */
  offline?: boolean;
  /** The command that writes all that the archive has to this output, for a warning. */
  fillCommand?: string;
}

export interface RetentionRequest extends ArchiveRequest, RunRequest {
  /** Say what would be done, and change nothing. */
  dryRun?: boolean;
}

export interface ForgetRequest extends RetentionRequest {
  ids: readonly string[];
}

export interface PruneRequest extends RetentionRequest {
  /** Calls that started longer ago, in days. */
  olderThan: number;
  agents?: readonly string[];
}

export interface AckRequest extends RetentionRequest {
  ids?: readonly string[];
  idsFile?: string;
  all?: boolean;
  state?: Troubled;
  undo?: boolean;
}

export interface VerifyRequest extends SelectionRequest, ConnectionRequest {
  /** @default no archive: only outputs are checked */
  archive: string | false;
  /** Whether a missing archive is an error even where outputs are named. */
  archiveNamed: boolean;
  /** Folders with a manifest, or files with one beside them. */
  outputs: readonly string[];
  /** List again, and compare. */
  remote?: boolean;
  allowOther?: boolean;
  allowEmpty?: boolean;
}

export interface DoctorRequest extends ConnectionRequest, ArchiveRequest {
  agents?: readonly string[];
}
