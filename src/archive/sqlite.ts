import type { Archive } from "../core/archive.ts";
import { adoption } from "./adoption.ts";
import { deliveries } from "./deliveries.ts";
import { facts } from "./facts.ts";
import { ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
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
}

/**
Opens an archive in one SQLite file.

@throws UsageError when there is no file, it is not an archive, or a newer version wrote it.
*/
export const openSqlite = ({ path, create, now }: SqliteOptions): Archive => {
  const db = path === undefined ? openTemporary() : openDatabase(path, create);
  const place = path ?? "in the folder for temporary files";
  try {
    return explainErrors(assemble(db, now), place);
  } catch (error) {
    db.close();
    throw explainError(error, place);
  }
};

const assemble = (db: Db, now: () => Date): Archive => {
  const { assertLocked, ...locking } = lock(db, now);
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
