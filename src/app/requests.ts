import type { Shard } from "../core/selection.ts";
import type { Troubled } from "../core/state.ts";
import type { SourceName } from "../core/transcript.ts";

// Requests of the use cases: plain values, checked where they are used. Paths may be relative to the host's `cwd`.

export interface ArchiveRequest {
  /** The archive's file; false: a temporary archive that is deleted after the run. */
  archive: string | false;
  /** How long a chat session counts as open after its last event, in seconds. @default 1800 */
  settle?: number;
}

/** Of which sources conversations are meant. */
export interface SourcesRequest {
  /** A bare id then means a conversation of one of these. @default all that the archive has; only calls can be fetched */
  sources?: readonly SourceName[];
}

/** Conversations by id, or by agent and time. */
export interface SelectionRequest extends SourcesRequest {
  /** Ids with or without their source; those of calls in any letter case. */
  ids?: readonly string[];
  /** A file of ids, `-` for standard input: one per line, NDJSON, or CSV with an id column. */
  idsFile?: string;
  agents?: readonly string[];
  /** A time as `core/selection.ts` reads it, or `last`: from where the last run ended. */
  since?: string;
  /** The end of the range, not included. @default now */
  until?: string;
  /** Time zone of dates that have none. @default the system's */
  tz?: string;
  /** Selects only this part, by hash of the id. */
  shard?: Shard;
  /** Stops after this number of calls. */
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
  /** Uses the credentials of this profile of the aliyun CLI. */
  profile?: string;
  /** Used instead of the credentials chain. */
  keys?: { accessKeyId: string; accessKeySecret: string };
  client: "auto" | "sdk" | "builtin";
  /** Most requests per second. @default as many as the service accepts */
  tps?: number;
  /** How often a request is repeated after a temporary failure. */
  retries: number;
}

/** Where EventBridge is reached. */
export interface EventBridgeRequest extends Pick<ConnectionRequest, "profile" | "keys" | "tps" | "retries"> {
  region: string;
  /** The flag that sets the region, for messages. */
  regionFlag: string;
  /** Instead of the region's address. */
  endpoint?: string;
}

export interface CloudRequest extends ConnectionRequest {
  /** `always`: also request the details of listed calls, one more request per call. */
  describe: "auto" | "always";
  /** More hosts to download from: exact, or `*.suffix`. */
  allowHost?: readonly string[];
  /** Bytes. */
  maxDocumentSize: number;
  /** Calls fetched at once. */
  concurrency: number;
  /** Continue although the archive holds calls of another region or account. */
  allowOther?: boolean;
}

/** For every use case that writes to the archive. */
export interface RunRequest {
  /** How long to wait for another run that holds the archive, in seconds. @default 0 */
  wait?: number;
  /** A file for the metrics of the run, as OpenMetrics text. */
  metricsFile?: string;
}

export interface PullRequest extends SelectionRequest, ArchiveRequest, CloudRequest, RunRequest {
  /** Fetch calls again that the archive already has. */
  refresh?: boolean;
  /** A file for missing, invalid and failed calls, as NDJSON. */
  errorFile?: string;
  /** Also count missing, invalid and failed calls that were reported before or acknowledged. */
  strict?: boolean;
  /** How far before the cursor `since: "last"` begins, in seconds. */
  lookback: number;
  /** An agent that has never listed a call does not make the run `partial`. */
  allowEmpty?: boolean;
}

export interface OutputRequest {
  /** @default chosen by the ending of `output`, else ndjson */
  formats?: readonly string[];
  /** A file, a folder (ends with `/` or exists), or `-` for standard output. */
  output: string;
  rows: "call" | "turn";
  csvBom?: boolean;
  csvGuard: boolean;
  /** Write only calls that this output does not have yet, as a new part. */
  new?: boolean;
  /** Also replace files that callarchive did not write. */
  force?: boolean;
  /** False: an output that exists is an error. @default true */
  clobber?: boolean;
  /** With `new`: read from the output's files which calls it has. */
  adopt?: boolean;
  /** Number of threads that format conversations. @default depends on the machine's cores */
  threads?: number;
}

export interface RedactRequest {
  /** Categories, or `all`. */
  redact?: readonly string[];
  /** As `NAME=regex`. */
  redactPattern?: readonly string[];
  /** A program with arguments that finds more, for example names; see docs/redaction.md for its lines. */
  redactCommand?: string;
  /** How long `redactCommand` may be silent while texts wait, in seconds. @default 120 */
  redactTimeout?: number;
}

export interface ExportRequest extends PullRequest, FilterRequest, OutputRequest, RedactRequest {
  /** Do not contact the cloud: write what the archive has. */
  offline?: boolean;
  /** The command that writes all stored calls to this output, for a warning. */
  fillCommand?: string;
}

export interface RetentionRequest extends ArchiveRequest, RunRequest {
  /** Report what would be done, and change nothing. */
  dryRun?: boolean;
}

export interface ForgetRequest extends RetentionRequest, SourcesRequest {
  ids: readonly string[];
}

export interface PruneRequest extends RetentionRequest, SourcesRequest {
  /** Selects conversations that started more than this many days ago. */
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
  /** Whether a missing archive is an error even if outputs are named. */
  archiveNamed: boolean;
  /** Folders with a manifest, or files with one beside them. */
  outputs: readonly string[];
  /** List the calls in the cloud again, and compare. */
  remote?: boolean;
  allowOther?: boolean;
  allowEmpty?: boolean;
}

export interface DoctorRequest extends ConnectionRequest, ArchiveRequest {
  agents?: readonly string[];
  /** Check what pulls of these sources need. @default calls, and the sources that the archive has */
  sources?: readonly SourceName[];
  /** The event bus of chats. */
  bus: string;
  chatsRegion: string;
  queriesRegion: string;
  eventbridgeEndpoint?: string;
}
