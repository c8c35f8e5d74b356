import { hash } from "node:crypto";
import type { Archive } from "../core/archive.ts";
import type { ArchiveLock } from "../core/lock.ts";
import type { SessionOf, StoredConversation } from "../core/records.ts";
import { adoption } from "./adoption.ts";
import { changeLog } from "./change-log.ts";
import { deliveries } from "./deliveries.ts";
import { facts } from "./facts.ts";
import { type ChannelOf, forgotten } from "./forgotten.ts";
import { ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
import { media } from "./media.ts";
import { type MigrationHooks, migrate } from "./migrate.ts";
import { type Db, openDatabase, openTemporary } from "./open.ts";
import { reader } from "./reader.ts";
import { recordPlaces } from "./record-places.ts";
import { records } from "./records.ts";
import { reports } from "./reports.ts";
import { retention } from "./retention.ts";
import { agents } from "./rows.ts";
import { runs } from "./runs.ts";
import { sessions } from "./sessions.ts";
import { store } from "./store.ts";
import { explainError, explainErrors } from "./trouble.ts";

export interface SqliteOptions {
  /** A file; undefined for a private temporary database that ends when it is closed. */
  path: string | undefined;
  /** Whether to create the file when there is none; otherwise that is an error. */
  create: boolean;
  now: () => Date;
  /**
  How long a conversation of a source without an end of its own is open after its last record, in seconds.

  @default 1800
  */
  settleSeconds?: number;
  /**
  The hex digest of a conversation's transcript, to see whether it has changed. Throws when there is no transcript.

  @default a digest of its documents
  */
  digestOf?: (conversation: StoredConversation) => string;
  /** @default no call's session is known, so dialogues are not joined with calls */
  sessionOf?: SessionOf;
  /** @default no call's channel is known, so recordings of deleted calls are known by their places alone */
  channelOf?: ChannelOf;
  /** @default an older archive is migrated without messages, and refused while any lock has not expired */
  migration?: MigrationHooks;
}

const SETTLE_SECONDS = 1800;

const digestOfDocuments = ({ id, meta, document, further }: StoredConversation): string =>
  hash("sha256", [id, JSON.stringify(meta), document?.sha256, further && hash("sha256", further)].join("\n"));

const WITHOUT_MESSAGES: MigrationHooks = {
  lock: async (acquire) => {
    const holder = await acquire({ pid: 0, host: "unknown" }, () => false);
    if (holder)
      throw new Error(`Process ${holder.pid} on ${holder.host} holds the archive, which must be updated first.`);
  },
  onStart: () => () => {},
};

/**
Opens an archive in one SQLite file.

@throws UsageError when there is no file, it is not an archive, or a newer version wrote it.
*/
export const openSqlite = async (options: SqliteOptions): Promise<Archive> => {
  const { path, create, now, migration = WITHOUT_MESSAGES } = options;
  const db = path === undefined ? openTemporary() : openDatabase(path, create);
  const place = path ?? "in the folder for temporary files";
  try {
    if (path !== undefined) await migrate(db, path, now, migration);
    return explainErrors(assemble(db, options), place);
  } catch (error) {
    db.close();
    throw explainError(error, place);
  }
};

/** Opens the lock alone, in an archive of any version. @throws UsageError */
export const openSqliteLock = (path: string, now: () => Date): ArchiveLock => {
  const db = openDatabase(path, false);
  const { holder, unlock } = lock(db, now);
  return explainErrors({ holder, unlock, close: async () => void db.close() }, path);
};

const assemble = (
  db: Db,
  {
    now,
    settleSeconds = SETTLE_SECONDS,
    digestOf = digestOfDocuments,
    sessionOf = () => undefined,
    channelOf = () => undefined,
  }: SqliteOptions,
): Archive => {
  db.exec("create temp table selected (item integer primary key, batch integer)");
  // One time for the whole run, so that counts add up.
  const settledBefore = now().getTime() - settleSeconds * 1000;
  const { assertLocked, drop: _, ...locking } = lock(db, now);
  const agentNumbers = agents(db);
  const documents = store(db, assertLocked);
  const { conversation, ...reading } = reader(db, agentNumbers, documents, settledBefore);
  const log = changeLog(db, { conversation, digestOf });
  const sessionIndex = sessions(db, assertLocked, documents, sessionOf);
  const ofDeleted = forgotten(db, channelOf);
  const places = recordPlaces(db, now, sessionIndex, log);
  const { beginReading, ...delivering } = deliveries(db, assertLocked);
  return {
    ...ledger(db, now, assertLocked, agentNumbers, documents, log, places, sessionIndex, settledBefore),
    ...records(db, now, assertLocked, agentNumbers, documents, places),
    ...sessionIndex.reading,
    ...media(db, now, assertLocked, log, ofDeleted),
    ...reading,
    rawConversations: () => {
      beginReading();
      return reading.rawConversations();
    },
    ...runs(db, assertLocked, settledBefore),
    ...reports(db, assertLocked),
    ...delivering,
    ...adoption(db, assertLocked),
    ...facts(db, assertLocked),
    ...locking,
    release: async () => {
      try {
        await documents.finish();
      } finally {
        await locking.release();
      }
      // The database's library closes the file only when its statements are collected. Until then, a copy of the file
      // alone must be complete. Readers are not waited for.
      db.exec("pragma wal_checkpoint(passive)");
    },
    ...retention(db, assertLocked, documents, sessionIndex, ofDeleted, settledBefore),
    close: async () => {
      await documents.compaction()?.catch(() => undefined);
      db.close();
    },
  };
};
