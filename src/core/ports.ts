import type { ErrorFacts } from "./errors.ts";
import type { JsonObject, SourceName, Transcript } from "./transcript.ts";

/** An AI agent instance as describe or list gives it, with everything secret taken out of `meta`. */
export interface Instance {
  /** Absent in list answers, which carry none. */
  id?: string;
  /** The signed link to the call log: lives in memory only. Absent while the log is not written. */
  link?: URL;
  /** `Created`, `Executing` or `Finished`. */
  status: string;
  /** The wire's object without AuthToken and without the link's query string. */
  meta: JsonObject;
  requestId?: string;
}

export interface ListQuery {
  agentId: string;
  /** Inclusive, whole seconds. */
  start: Date;
  end: Date;
  /** 1 to 100. */
  page: number;
  /** 1 to 100. */
  size: number;
}

/** The part of IMS that the main job needs. Errors are `ArchiveError`s. */
export interface Ims {
  describeInstance(id: string, signal?: AbortSignal): Promise<Instance>;
  /** Empty past the last page. */
  listInstances(query: ListQuery, signal?: AbortSignal): Promise<Instance[]>;
}

export interface Document {
  /** As the service stores them: transfer encoding and content encoding removed, nothing else changed. */
  bytes: Uint8Array;
  /** Of `bytes`, hex. */
  sha256: string;
}

/** Fetches what a signed link points to. Errors are `ArchiveError`s. */
export type Download = (link: URL, signal?: AbortSignal) => Promise<Document>;

/** How an item of the archive stands. */
export type State = "pending" | "open" | "fetched" | "missing" | "invalid" | "failed";

export const STATES: readonly State[] = ["pending", "open", "fetched", "missing", "invalid", "failed"];

/** A call as a selection names it: by instance id, or by its link's address until the id is known. */
export interface Ref {
  instanceId?: string;
  /** Origin and path of the call log's link. */
  link?: string;
  agentId?: string;
  /** What the list said, when the call was listed. */
  meta?: JsonObject;
  status?: string;
}

/** What came of fetching one item. */
export interface Outcome {
  /** The archive's own number of the item. */
  item: number;
  state: Exclude<State, "pending">;
  instanceId?: string;
  link?: string;
  status?: string;
  meta?: JsonObject;
  /** ISO 8601 UTC. */
  startedAt?: string;
  document?: Document;
  error?: ErrorFacts & { message: string };
}

/** A raw document with its identity and provenance. */
export interface StoredRecord {
  item: number;
  source: SourceName;
  state: State;
  /** The instance id, or the address-made stand-in of a call whose log names none. */
  id: string;
  agentId?: string;
  link?: string;
  status?: string;
  startedAt?: string;
  meta?: JsonObject;
  document?: Document;
  error?: ErrorFacts & { message: string; at: string };
}

/** Pieces of one output file. */
export type Chunk = string | Uint8Array;

/**
Makes text of transcripts; where it lives is the sink's concern.

`put` goes to the writer's main file, or to a file of its own beside it when `file` is given.
*/
export interface Writer {
  /** Called once, before the first transcript. */
  begin(put: Put): void;
  /** `record` carries the raw document for writers that keep bytes as they are. */
  item(transcript: Transcript, put: Put, record: { document: Document }): void;
  end(put: Put): void;
}

export type Put = (data: Chunk, options?: PutOptions) => void;
export interface PutOptions {
  /** Rows (turns, samples, documents) that this piece completes; default 0. */
  rows?: number;
  /** Another file than the main one: a sidecar's name, or with `whole` the name of one call's own file. */
  file?: string;
  /** `data` is all of `file`: it is written and closed at once. */
  whole?: boolean;
}

/** An item of the selection, as it stands in the archive. */
export interface Selected {
  item: number;
  state: State;
  /** False when the selection held it already. */
  added: boolean;
}

export type Counts = Record<State, number>;

/** Which stored items an offline selection takes; all that are given must hold. */
export interface StoredFilter {
  agents?: readonly string[];
  /** Inclusive, by the call's start. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  state?: State;
  /** One call, by instance id in any letter case. */
  id?: string;
  /** At most so many, the earliest first. */
  limit?: number;
}

export interface ArchiveSummary {
  counts: Counts;
  agents: { agentId: string; calls: number; first?: string; last?: string }[];
  /** Raw documents, uncompressed and as stored, in bytes. */
  rawBytes: number;
  storedBytes: number;
  runs: RunRecord[];
}

export interface RunRecord {
  run: number;
  command: string;
  version: string;
  startedAt: string;
  endedAt?: string;
  exitCode?: number;
  /** What was selected, and how many came out in which state. */
  detail?: JsonObject;
}

/**
Records and their ledger.

A connection holds one selection at a time: `select` adds to it, `counts`, `records` and `unsettled` speak of it. It
lives with the connection, so that a crashed run leaves none behind.
*/
export interface Archive {
  select(refs: readonly Ref[]): Promise<Selected[]>;
  /** Adds what is stored; resolves to how many. */
  selectStored(filter: StoredFilter): Promise<number>;
  /** All or nothing: when this resolves the outcomes are on disk. */
  commit(outcomes: readonly Outcome[]): Promise<void>;
  counts(): Promise<Counts>;
  /** Items that were fetched, with their documents, ordered by start, then id; in batches of bounded size. */
  records(): AsyncIterable<StoredRecord[]>;
  /** Items that have no document, or a broken one; without it, with their errors. */
  unsettled(): AsyncIterable<StoredRecord[]>;
  /** How many of these are settled: nothing is selected or changed. */
  settled(refs: readonly Ref[]): Promise<number>;
  /** With its document. Case of the id does not matter. */
  find(id: string): Promise<StoredRecord | undefined>;
  /** Everything stored that fits, without documents, ordered by start, then id. */
  list(filter: StoredFilter): AsyncIterable<StoredRecord[]>;
  summary(): Promise<ArchiveSummary>;
  beginRun(run: Omit<RunRecord, "run" | "endedAt" | "exitCode">): Promise<number>;
  endRun(run: number, end: { endedAt: string; exitCode: number; detail: JsonObject }): Promise<void>;
  close(): Promise<void>;
}

/** One page of a listing, to be asked again when a link of it died. */
export interface Place {
  agentId: string;
  start: Date;
  end: Date;
  page: number;
}

/** A call as the selection met it. The signed link lives here, in memory, and nowhere else. */
export interface Found {
  ref: Ref;
  link?: URL;
  place?: Place;
}

/** What a fetch brought: everything of an outcome but the archive's own number. */
export type Fetched = Omit<Outcome, "item">;

/** Gets the document of one call. Errors are `ArchiveError`s: those of single items and those that stop the run. */
export type Fetch = (found: Found, signal?: AbortSignal) => Promise<Fetched>;

export type Level = "debug" | "info" | "warn" | "error";

/** Something worth telling; fields hold no secret and no signed link. */
export type Log = (level: Level, event: string, fields: JsonObject) => void;
