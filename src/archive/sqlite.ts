import type { Archive } from "../core/archive.ts";
import { deliveries } from "./deliveries.ts";
import { facts } from "./facts.ts";
import { ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
import { openDatabase, openTemporary } from "./open.ts";
import { reader } from "./reader.ts";
import { reports } from "./reports.ts";
import { retention } from "./retention.ts";
import { agents } from "./rows.ts";
import { runs } from "./runs.ts";
import { store } from "./store.ts";

export interface SqliteOptions {
  /** A file; undefined for a private temporary database that is gone when it is closed. */
  path: string | undefined;
  /** Make the file when there is none; without it, that is an error. */
  create: boolean;
  now: () => Date;
}

/**
Opens an archive in one SQLite file.

@throws UsageError when there is no file, it is not an archive, or a newer version wrote it.
*/
export const openSqlite = ({ path, create, now }: SqliteOptions): Archive => {
  const db = path === undefined ? openTemporary() : openDatabase(path, create);
  const { held, ...locking } = lock(db, now);
  const known = agents(db);
  const documents = store(db, held);
  return {
    ...ledger(db, now, held, known, documents),
    ...reader(db, known),
    ...runs(db, held),
    ...reports(db, held),
    ...deliveries(db, held),
    ...facts(db, held),
    ...locking,
    release: async () => {
      try {
        await documents.settle();
      } finally {
        await locking.release();
      }
    },
    ...retention(db, held, documents),
    close: async () => {
      await documents.tidying()?.catch(() => undefined);
      db.close();
    },
  };
};
