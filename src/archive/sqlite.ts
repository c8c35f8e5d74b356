import type { Archive } from "../core/archive.ts";
import { deliveries } from "./deliveries.ts";
import { ledger } from "./ledger.ts";
import { lock } from "./lock.ts";
import { openDatabase, openTemporary } from "./open.ts";
import { reader } from "./reader.ts";
import { retention } from "./retention.ts";
import { runs } from "./runs.ts";

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
  return {
    ...ledger(db, now, held),
    ...reader(db),
    ...runs(db),
    ...deliveries(db, held),
    ...locking,
    ...retention(db, held),
    close: async () => {
      db.close();
    },
  };
};
