import type { Adoption, Deliveries } from "./deliveries.ts";
import type { AtRisk, Health } from "./health.ts";
import type { Lockable } from "./lock.ts";
import type { Media } from "./media-store.ts";
import type { RawConversation } from "./raw-conversation.ts";
import type {
  Arrival,
  ArrivalResult,
  Listing,
  Outcome,
  Ref,
  SameIdConflict,
  SelectedItem,
  StoredConversation,
  StoredFilter,
  Window,
} from "./records.ts";
import type { Counts, State } from "./state.ts";
import type { JsonObject, SourceName } from "./transcript.ts";

/** The ledger: the selected items, and the state of each. */
export interface Ledger {
  /** @throws UsageError when an id is empty, has a NUL or more than 1,024 bytes; `commit` too */
  select(refs: readonly Ref[]): Promise<SelectedItem[]>;
  /** Where the service listed a call that has no instance id; undefined when it was never listed. */
  listing(item: number): Promise<Listing | undefined>;
  /** Selects stored items. Resolves to how many were added. */
  selectStored(filter: StoredFilter): Promise<number>;
  /**
  Commits all outcomes or none. When this resolves, they are on disk.

  Resolves to the call logs that were set aside, because another call log with other bytes has the same instance id.

  @throws LockLost
  */
  commit(outcomes: readonly Outcome[]): Promise<SameIdConflict[]>;
  /** The state of each call, undefined where the archive does not know it. Selects and changes nothing. */
  look(refs: readonly Ref[]): Promise<(State | undefined)[]>;
  /** Of each call, whether a run without `--refresh` would leave it alone. Selects and changes nothing. */
  settled(refs: readonly Ref[]): Promise<boolean[]>;
  /**
  Counts the items of the selection by state.

  @param options `logs`: by the states of their call logs, which may not be there although the call has other records
  */
  counts(options?: { logs?: boolean }): Promise<Counts>;
  /**
  The windows of an agent that hold items which may still change, and were first seen after `since`.

  Items that were first seen earlier, or were acknowledged, no longer hold back a cursor.
  */
  unsettledWindows(agentId: string, since: Date): Promise<Window[]>;
}

/** Whether the service may still change a record. */
export type RecordState = "running" | "final";

/** Conversations of many records. */
export interface Records {
  /**
  Stores records and selects their conversations, all of them or none. When this resolves, they are on disk.

  The transcripts do not depend on the order in which records arrive, nor on how they are divided into calls of this
  method. Resolves to what became of each.

  @param refresh a record with a known id and other content replaces the stored one
  @param select whether to select their conversations. @default true
  @throws UsageError when an id is not usable, LockLost
  */
  addRecords(arrivals: readonly Arrival[], options?: { refresh?: boolean; select?: boolean }): Promise<ArrivalResult[]>;
  /**
  Which of these records the archive has: each `final`, or `running` while the service may still change it.

  Those of forgotten and pruned conversations are deleted, so they are not known.
  */
  recordStates(source: SourceName, ids: readonly string[]): Promise<Map<string, RecordState>>;
  /**
  The time of the earliest record of a source that the service may still change, and that is not older than `since`;
  undefined when there is none. A record without a time is as old as its arrival.
  */
  earliestRunning(source: SourceName, since: Date): Promise<Date | undefined>;
  /** Of the selection: how many records were set aside, because another one has their id and was chosen. */
  conflicts(): Promise<number>;
}

/** Which call of a session a dialogue belongs to. */
export interface Sessions {
  /** Reads the sessions of all calls once, before the first dialogues are stored. @throws LockLost */
  indexSessions(): Promise<void>;
  /** When the dialogues of a session were last listed to their end; undefined if they never were. */
  sessionListedAt(session: string): Promise<Date | undefined>;
  setSessionListed(session: string, at: Date): Promise<void>;
}

export interface Reader {
  /** Fetched items of the selection with their documents, by start, then id, in batches of bounded size. */
  conversations(): AsyncIterable<StoredConversation[]>;
  /** The same without parsing, so that another thread can do it. */
  rawConversations(): AsyncIterable<RawConversation[]>;
  /**
  Selected items that are not fetched: without documents, with their errors.

  @param options `logs`: also those that have other records, but not their call log; states are those of the logs
  */
  unsettled(options?: { logs?: boolean }): AsyncIterable<StoredConversation[]>;
  /**
  One conversation with its document, by its id or by source and id.

  @param sources only conversations of these are meant. @default all of the archive
  @throws UsageError when a bare id is that of conversations of several sources, or a qualified id is of none of `sources`
  */
  find(id: string, sources?: readonly SourceName[]): Promise<StoredConversation | undefined>;
  /** At most `limit` ids with this beginning, sorted; only those of `sources`. Letter case does not matter. */
  beginningWith(beginning: string, limit: number, sources?: readonly SourceName[]): Promise<string[]>;
  /**
  All stored items that match the filter, by start, then id. Documents come only with `documents`.

  `tolerant`: a document that cannot be read is left out. Without it, such a document is an error.
  */
  list(
    filter: StoredFilter,
    options?: { documents?: boolean; tolerant?: boolean },
  ): AsyncIterable<StoredConversation[]>;
}

export interface RunRecord {
  run: number;
  command: string;
  version: string;
  startedAt: string;
  endedAt?: string;
  exitCode?: number;
  /** The selection and the counts by state. */
  detail?: JsonObject;
}

export interface RunEnd {
  endedAt: string;
  exitCode: number;
  detail: JsonObject;
  reported?: boolean;
}

/** The conversations of one source in an archive. */
export interface SourceSummary {
  source: SourceName;
  counts: Counts;
  /** Start of the first and of the last conversation that has one, ISO 8601 UTC. */
  first?: string;
  last?: string;
  /** All that the service listed before this time is in the archive; absent for calls, of which each agent has a cursor. */
  cursor?: string;
}

export interface Summary {
  counts: Counts;
  /** Only sources of which there are conversations; calls come first. */
  sources: SourceSummary[];
  /** How many of the missing, invalid and failed conversations were acknowledged. */
  acknowledged: number;
  agents: { agentId: string; calls: number; first?: string; last?: string; cursor?: string }[];
  /** Bytes of the raw documents before compression. */
  rawBytes: number;
  /** Bytes of the compressed blocks. */
  storedBytes: number;
}

export interface Runs {
  health(command: string): Promise<Health>;
  /** What waits to be fetched, with its age: only what there is. Trouble that was acknowledged does not count. */
  atRisk(): Promise<AtRisk[]>;
  beginRun(run: Omit<RunRecord, "run" | "endedAt" | "exitCode">): Promise<number>;
  /** `reported`: the run has reported all trouble of its selection; this is recorded in the transaction of its end. */
  endRun(run: number, end: RunEnd): Promise<void>;
  /** The time before which every call of a stream is settled. */
  cursor(name: string): Promise<Date | undefined>;
  /** Moves the cursor forward. An earlier time changes nothing. */
  moveCursor(name: string, to: Date): Promise<void>;
  /** The last runs, newest first. */
  lastRuns(): Promise<RunRecord[]>;
  /** @param sources counts, agents and acknowledgements are of these; the bytes are always of the whole archive */
  summary(sources?: readonly SourceName[]): Promise<Summary>;
}

/**
Facts about the archive. `listed:AGENT` records that the service has listed calls of this agent, `reported:SOURCE:ID` that
a run has reported that this record cannot be had.
*/
export type FactName =
  | "sessions"
  | `reported:${SourceName | "recordings"}:${string}`
  | "id"
  | "region"
  | "account"
  | `region:${SourceName}`
  | `account:${SourceName}`
  | "scrub"
  | `listed:${string}`;

/** Facts about the archive itself. Its `id` is random and is set when the archive is created. */
export interface Facts {
  fact(name: FactName): Promise<string | undefined>;
  /** `undefined` deletes the fact. */
  setFact(name: Exclude<FactName, "id">, value: string | undefined): Promise<void>;
}

/** Trouble that a run has reported, and trouble that a person has acknowledged. */
export interface Reports {
  /**
  Counts of the selection: trouble that an earlier run reported unchanged (`known`), and acknowledged trouble.

  @param options `logs`: also of call logs whose calls have other records
  */
  trouble(options?: { logs?: boolean }): Promise<{ known: number; acknowledged: number }>;
  /** Acknowledges those of these items that are missing, invalid or failed. */
  acknowledge(items: readonly number[]): Promise<void>;
  /** Removes reports and acknowledgements of these items, so that they count again. */
  takeBack(items: readonly number[]): Promise<void>;
}

export interface Retention {
  /**
  Deletes the documents and metadata of these calls and keeps tombstones. Resolves to how many calls were pruned.

  The fact `scrub` exists until `scrub` succeeds: the file may still hold the deleted bytes.
  */
  prune(filter: StoredFilter): Promise<number>;
  /**
  Rewrites the file without the deleted bytes, if there are any, and frees their space.

  Resolves to a reason when this failed: another connection reads the archive, or the disk is full.
  */
  scrub(): Promise<string | undefined>;
  /** Checks the database file. Resolves to the problems found. */
  integrity(): Promise<string[]>;
}

/**
Records and their ledger.

A connection has one selection: `select` adds to it; `counts`, `records` and `unsettled` read it. The selection ends
with the connection, so a crashed run leaves none behind.
*/
export interface Archive
  extends Ledger,
    Records,
    Sessions,
    Media,
    Reader,
    Runs,
    Reports,
    Deliveries,
    Adoption,
    Facts,
    Lockable,
    Retention {
  close(): Promise<void>;
}

/** The database is damaged: records may be missing. */
export class ArchiveDamaged extends Error {
  override readonly name = "ArchiveDamaged";
  /** The database's own error message. */
  readonly what: string;
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(
      `The archive ${path} is damaged (${what}). Keep a copy of it and of ${path}-wal. Then restore a backup; or save what can still be read, with: sqlite3 "${path}" .recover | sqlite3 saved.db, and name saved.db with --archive; callarchive verify then says what is missing.`,
      options,
    );
    this.what = what;
  }
}
