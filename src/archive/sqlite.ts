import type { Archive } from "../core/archive.ts";
import type { ArchiveLock } from "../core/lock.ts";
import { adoption } from "./adoption.ts";
import { deliveries } from "./deliveries.ts";
import { facts } from "./facts.ts";
import { ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
import { type MigrationHooks, migrate } from "./migrate.ts";
import { type Db, openDatabase, openTemporary } from "./open.ts";
import { reader } from "./reader.ts";
import { reports } from "./reports.ts";
import { retention } from "./retention.ts";
import { agents } from "./rows.ts";
import { runs } from "./runs.ts";
import { store } from "./store.ts";
import { explainError, explainErrors } from "./trouble.ts";

export interface SqliteOptions {
  /** A file; undefined for a private temporary database that ends when it is closed. */
  path: string | undefined;
  /** Whether to create the file when there is none; otherwise that is an error. */
  create: boolean;
  now: () => Date;
  /** @default an older archive is migrated without messages, and refused while any lock has not expired */
  migration?: MigrationHooks | undefined;
}

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
export const openSqlite = async ({ path, create, now, migration }: SqliteOptions): Promise<Archive> => {
  const db = path === undefined ? openTemporary() : openDatabase(path, create);
  const place = path ?? "in the folder for temporary files";
  try {
    if (path !== undefined) await migrate(db, path, now, migration ?? WITHOUT_MESSAGES);
    return explainErrors(assemble(db, now), place);
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

const assemble = (db: Db, now: () => Date): Archive => {
  const { assertLocked, drop: _, ...locking } = lock(db, now);
  const agentNumbers = agents(db);
  const documents = store(db, assertLocked);
  return {
    ...ledger(db, now, assertLocked, agentNumbers, documents),
    ...reader(db, agentNumbers),
    ...runs(db, assertLocked),
    ...reports(db, assertLocked),
    ...deliveries(db, assertLocked),
    ...adoption(db, assertLocked),
    ...facts(db, assertLocked),
    ...locking,
    release: async () => {
      try {
        await documents.finish();
      } finally {
        await locking.release();
      }
    },
    ...retention(db, assertLocked, documents),
    close: async () => {
      await documents.compaction()?.catch(() => undefined);
      db.close();
    },
  };
};
