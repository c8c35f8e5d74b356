import type { Adoption, Deliveries } from "./deliveries.ts";
import type { ErrorFacts } from "./errors.ts";
import type { Health } from "./health.ts";
import type { Lockable } from "./lock.ts";
import type { Document } from "./ports.ts";
import type { RawRecord } from "./raw-record.ts";
import type { JsonObject, SourceName } from "./transcript.ts";

/**
How an item of the archive stands.

`pruned`: its document was deleted, by a retention rule or a request for erasure; it is not fetched again.
*/
export type State = "pending" | "open" | "fetched" | "missing" | "invalid" | "failed" | "pruned";

export const STATES: readonly State[] = ["pending", "open", "fetched", "missing", "invalid", "failed", "pruned"];

export type Counts = Record<State, number>;

/** Nothing is asked for again in these states, unless it is refreshed. */
export const isFinal = (state: State): boolean => state === "fetched" || state === "invalid" || state === "pruned";

/** States of a call that could not be had: a person has to know. */
export const TROUBLE = ["missing", "invalid", "failed"] as const satisfies readonly State[];

export type Troubled = (typeof TROUBLE)[number];

export const isTroubled = (state: State): state is Troubled => (TROUBLE as readonly State[]).includes(state);

/** A call as a selection names it: by instance id, by its link's address until the id is known, or by its stand-in id. */
export interface Ref {
  instanceId?: string;
  /** Origin and path of the call log's link. */
  link?: string;
  /** `link-…`: what the archive calls a call of which it knows only the link. */
  standIn?: string;
  agentId?: string;
  /** What the list said, when the call was listed. */
  meta?: JsonObject;
  status?: string;
  /** The stretch of time that it was listed in: where to look for it again. */
  window?: Window;
}

/** A stretch of time in which the calls of an agent are listed, in whole seconds. */
export interface Window {
  start: Date;
  end: Date;
}

/** An item of the selection, as it stands in the archive. */
export interface Selected {
  item: number;
  /** As `StoredRecord` has it. */
  id: string;
  state: State;
  /** False when the selection held it already. */
  added: boolean;
  /** When it was first selected. */
  seenAt: Date;
  /** How often fetching it brought no document, and the code of the last error. */
  attempts: number;
  code?: string;
  /** Whether the service was asked for all it knows of the call. */
  described: boolean;
  /** It is in trouble, and a person has settled that. */
  acknowledged?: true;
  instanceId?: string;
}

/** Where the service listed a call, and the address that tells it from the others there. */
export interface Listing {
  link: string;
  agentId: string;
  window: Window;
}

/** What came of fetching one item. */
export interface Outcome {
  /** The archive's own number of the item. */
  item: number;
  state: Exclude<State, "pending" | "pruned">;
  instanceId?: string;
  link?: string;
  status?: string;
  meta?: JsonObject;
  /** ISO 8601 UTC. */
  startedAt?: string;
  document?: Document;
  error?: ErrorFacts & { message: string };
}

/** A call log that carries the instance id of another one and differs from it: kept, and `invalid`. */
export interface SameIdConflict {
  item: number;
  /** What it is known by. */
  id: string;
  /** What the other one is known by. */
  instanceId: string;
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
  /** How often fetching it brought no document. */
  attempts: number;
  error?: ErrorFacts & { message: string; at: string };
  /** It is in trouble, which an earlier run that finished has reported, in this state with this code. */
  known?: true;
  /** It is in trouble, and a person has settled that. */
  acknowledged?: true;
}

/** Which stored items are meant; all that are given must hold. */
export interface StoredFilter {
  agents?: readonly string[];
  /** Inclusive, by the call's start. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  states?: readonly State[];
  /** One call, by instance id in any letter case. */
  id?: string;
  /** At most so many, the earliest first. */
  limit?: number;
}

/** The ledger: what was selected, and what came of it. */
export interface Ledger {
  select(refs: readonly Ref[]): Promise<Selected[]>;
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
