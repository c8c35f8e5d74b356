import type { Retention } from "../core/archive.ts";
import { type Db, transaction } from "./open.ts";
import { where } from "./rows.ts";

/** Deleting for good, and looking whether everything is as it should be. */
export const retention = (db: Db, held: () => void): Retention => {
  const prune = (clause: string, values: unknown[]): number => {
    held();
    db.exec("create temp table doomed (item integer primary key)");
    const { changes } = db.prepare(`insert into temp.doomed select i.item from items i ${clause}`).run(...values);
    db.exec(`
      delete from documents where item in (select item from temp.doomed);
      -- The tombstone keeps what it takes to know the call again, and nothing of what was said in it.
      update items set state = 'pruned', bytes = null, sha256 = null, status = null, error_code = null,
        error_message = null, error_request_id = null, error_status = null, error_at = null
      where item in (select item from temp.doomed);
      drop table temp.doomed`);
    return changes;
  };
  return {
    prune: async (filter) => {
      // Overwritten with zeros, not only given back.
      db.exec("pragma secure_delete = ON");
      const { clause, values } = where(filter);
      return transaction(db, () => prune(clause, values));
    },
    scrub: async () => {
      db.exec("pragma wal_checkpoint(TRUNCATE)");
      db.exec("vacuum");
      db.exec("pragma wal_checkpoint(TRUNCATE)");
    },
    integrity: async () => {
      const rows = db.prepare("pragma integrity_check").all() as { integrity_check: string }[];
      const wrong = rows.map(({ integrity_check }) => integrity_check).filter((text) => text !== "ok");
      const orphans = db
        .prepare(
          "select count(*) as n from items i left join documents d on d.item = i.item where i.state = 'fetched' and d.item is null",
        )
        .get() as { n: number };
      if (orphans.n > 0) wrong.push(`${orphans.n} fetched calls have no document`);
      return wrong;
    },
  };
};
