import { hostname } from "node:os";
import { resolve } from "node:path";
import { openArchive as open } from "../../archive/index.ts";
import type { RunRecord, Summary } from "../../core/archive.ts";
import { InvalidDocument } from "../../core/errors.ts";
import type { Document, StoredConversation, StoredFilter } from "../../core/records.ts";
import type { Transcript } from "../../core/transcript.ts";
import { transcriptOf } from "../../parse/index.ts";
import { migrationHooks } from "../archive.ts";
import type { AppContext } from "../context.ts";
import { DEFAULT_ARCHIVE } from "../defaults.ts";
import type { LockContext } from "../locking.ts";

/** What an archive knows of one call. */
export type StoredCall = Omit<StoredConversation, "item" | "source" | "known">;

/** Which calls are meant: all conditions that are given must hold. */
export type CallFilter = Omit<StoredFilter, "id">;

/** An archive, open for reading. Others may read and write it meanwhile. */
export interface OpenArchive {
  /** One call with its document, by instance id in any letter case; undefined when the archive does not know it. */
  find(id: string): Promise<StoredCall | undefined>;
  /** What is known of calls, without their documents; ordered by start, then id. @default all calls */
  calls(filter?: CallFilter): AsyncIterable<StoredCall>;
  /**
  The conversations that were fetched, ordered by start, then id.

  @param onInvalid told of a document that cannot be read as a conversation, which is then left out; without it, that
  is an error
  @throws InvalidDocument
  */
  transcripts(
    filter?: Omit<CallFilter, "states">,
    onInvalid?: (id: string, error: InvalidDocument) => void,
  ): AsyncIterable<Transcript>;
  /** How many calls in which state, of which agents, and how many bytes. */
  summary(): Promise<Summary>;
  /** The last runs, newest first. */
  lastRuns(): Promise<RunRecord[]>;
  close(): Promise<void>;
}

/**
Opens an archive that is there, to read it. Contacts nothing, and takes no lock, except to migrate an archive of an older
version.

@param path of its file, relative to the current folder. @default "callarchive.db"
@param context of `createContext`: its `log` is told of a migration, and its process holds the lock meanwhile
@throws NoArchive when there is none, UsageError when the file is something else or a newer version's, ArchiveBusy when it
must be migrated and another run holds it, ArchiveDamaged
*/
export const openArchive = async (path: string = DEFAULT_ARCHIVE, context?: AppContext): Promise<OpenArchive> => {
  const place = /^\w{2,}:/.test(path) ? path : resolve(path);
  const now = (): Date => new Date();
  const migration = migrationHooks(path, context ?? anyProcess(now), 0);
  const archive = await open({ place, create: false, now, migration });
  async function* calls(filter: CallFilter = {}): AsyncGenerator<StoredCall> {
    for await (const batch of archive.list(filter)) for (const record of batch) yield callOf(record);
  }
  async function* transcripts(
    filter: Omit<CallFilter, "states"> = {},
    onInvalid?: (id: string, error: InvalidDocument) => void,
  ): AsyncGenerator<Transcript> {
    for await (const batch of archive.list({ ...filter, states: ["fetched"] }, { documents: true }))
      for (const { document, ...record } of batch) {
        const transcript = document && readable({ ...record, document }, onInvalid);
        if (transcript) yield transcript;
      }
  }
  return {
    find: async (id) => {
      const record = await archive.find(id);
      return record && callOf(record);
    },
    calls,
    transcripts,
    summary: () => archive.summary(),
    lastRuns: () => archive.lastRuns(),
    close: () => archive.close(),
  };
};

/** A process that nothing is known of: its lock counts until it expires. */
const anyProcess = (now: () => Date): LockContext => ({
  host: { pid: 0, host: hostname(), processSpace: "", isAlive: () => true, startOf: () => undefined, now },
  log: () => {},
  closing: new AbortController().signal,
});

const callOf = ({ item: _, source: _s, known: _k, ...call }: StoredConversation): StoredCall => call;

const readable = (
  record: StoredConversation & { document: Document },
  onInvalid: ((id: string, error: InvalidDocument) => void) | undefined,
): Transcript | undefined => {
  try {
    return transcriptOf(record);
  } catch (error) {
    if (!onInvalid || !(error instanceof InvalidDocument)) throw error;
    onInvalid(record.id, error);
    return undefined;
  }
};
