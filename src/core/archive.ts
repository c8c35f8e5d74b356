import type { Adoption, Deliveries } from "./deliveries.ts";
import type { Health } from "./health.ts";
import type { Lockable } from "./lock.ts";
import type { RawRecord } from "./raw-record.ts";
import type {
  Listing,
  Outcome,
  Ref,
  SameIdConflict,
  SelectedItem,
  StoredFilter,
  StoredRecord,
  Window,
} from "./records.ts";
import type { Counts, State } from "./state.ts";
import type { JsonObject } from "./transcript.ts";

/** The ledger: what was selected, and what came of it. */
export interface Ledger {
  select(refs: readonly Ref[]): Promise<SelectedItem[]>;
  /** Where a call can be asked for that has no instance id; undefined when it was never listed. */
  listing(item: number): Promise<Listing | undefined>;
  /** Adds what is stored; resolves to how many. */
  selectStored(filter: StoredFilter): Promise<number>;
  /**
  All or nothing: when this resolves the outcomes are on disk.

  Resolves to the call logs that were set aside, because another one with other bytes carries the same instance id.

  @throws LockLost
  */
  commit(outcomes: readonly Outcome[]): Promise<SameIdConflict[]>;
  /** How each of these stands, undefined where it is not known: nothing is selected or changed. */
  look(refs: readonly Ref[]): Promise<(State | undefined)[]>;
  /** Whether nothing of these is asked for again unless it is refreshed: nothing is selected or changed. */
  settled(refs: readonly Ref[]): Promise<boolean[]>;
  /** Of the selection. */
  counts(): Promise<Counts>;
  /**
  The windows of an agent that hold items which may still change, and were first seen after `since`.

  Those that kept failing for longer, or were acknowledged, no longer hold up anything.
  */
  unsettledWindows(agentId: string, since: Date): Promise<Window[]>;
}

export interface Reader {
  /** Selected items that were fetched, with their documents, ordered by start, then id; in batches of bounded size. */
  records(): AsyncIterable<StoredRecord[]>;
  /** The same, nothing of it parsed: whoever works on them may do so on another thread. */
  rawRecords(): AsyncIterable<RawRecord[]>;
  /** Selected items that were not; without documents, with their errors. */
  unsettled(): AsyncIterable<StoredRecord[]>;
  /** With its document. Case of the id does not matter. */
  find(id: string): Promise<StoredRecord | undefined>;
  /** Up to so many ids that begin so, in order. Case does not matter. */
  beginningWith(beginning: string, limit: number): Promise<string[]>;
  /**
  Everything stored that fits, ordered by start, then id; without documents unless asked for.

  `tolerant`: a document that cannot be read is left out, where otherwise it would be an error.
  */
  list(filter: StoredFilter, options?: { documents?: boolean; tolerant?: boolean }): AsyncIterable<StoredRecord[]>;
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

export interface RunEnd {
  endedAt: string;
  exitCode: number;
  detail: JsonObject;
  reported?: boolean;
}

export interface Summary {
  counts: Counts;
  /** Of those missing, invalid or failed. */
  acknowledged: number;
  agents: { agentId: string; calls: number; first?: string; last?: string; cursor?: string }[];
  /** Raw documents, uncompressed and as stored, in bytes. */
  rawBytes: number;
  storedBytes: number;
}

export interface Runs {
  health(command: string): Promise<Health>;
  beginRun(run: Omit<RunRecord, "run" | "endedAt" | "exitCode">): Promise<number>;
  /** `reported`: the run has told of all trouble of its selection, which is remembered with its end or not at all. */
  endRun(run: number, end: RunEnd): Promise<void>;
  /** Up to where every call of a stream of them is settled. */
  cursor(name: string): Promise<Date | undefined>;
  /** Never moves back. */
  moveCursor(name: string, to: Date): Promise<void>;
  /** The last ones, newest first. */
  lastRuns(): Promise<RunRecord[]>;
  summary(): Promise<Summary>;
}

/** Names of what an archive knows of itself; `listed:AGENT` says that the service has listed calls of an agent. */
export type FactName = "id" | "region" | "account" | "scrub" | `listed:${string}`;

/** What is known of the archive itself; `id` is its own, random, and given when it is made. */
export interface Facts {
  fact(name: FactName): Promise<string | undefined>;
  /** `undefined` forgets it. */
  setFact(name: Exclude<FactName, "id">, value: string | undefined): Promise<void>;
}

/** What is known of trouble: which a run has reported, and which a person has settled. */
export interface Reports {
  /** Of the selection, what is in trouble as an earlier run reported it (`known`), and what was acknowledged. */
  trouble(): Promise<{ known: number; acknowledged: number }>;
  /** Of these items, settles those that are missing, invalid or failed. */
  acknowledge(items: readonly number[]): Promise<void>;
  /** Makes these count again, as if they had never been reported. */
  takeBack(items: readonly number[]): Promise<void>;
}

export interface Retention {
  /**
  Deletes the documents and what was said of these calls; keeps a tombstone. Resolves to how many there were.

  Until `scrub` succeeds, the fact `scrub` says that their bytes are still in the file.
  */
  prune(filter: StoredFilter): Promise<number>;
  /**
  Gives the space of what was deleted back, and leaves no trace of it in the file, if there is anything to do.

  Resolves to why it could not be done: another connection reads the archive, or there is no space for it.
  */
  scrub(): Promise<string | undefined>;
  /** Checks the database itself. Resolves to what is wrong. */
  integrity(): Promise<string[]>;
}

/**
Records and their ledger.

A connection holds one selection at a time: `select` adds to it; `counts`, `records` and `unsettled` speak of it. It
lives with the connection, so that a crashed run leaves none behind.
*/
export interface Archive extends Ledger, Reader, Runs, Reports, Deliveries, Adoption, Facts, Lockable, Retention {
  close(): Promise<void>;
}

/** The database is damaged: what it holds can no longer be trusted to be all. */
export class ArchiveDamaged extends Error {
  override readonly name = "ArchiveDamaged";
  /** What the database said. */
  readonly what: string;
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(
      `The archive ${path} is damaged (${what}). Keep a copy of it and of ${path}-wal. Then restore a backup; or save what can still be read, with: sqlite3 "${path}" .recover | sqlite3 saved.db, and name saved.db with --archive; callarchive verify then says what is missing.`,
      options,
    );
    this.what = what;
  }
}
