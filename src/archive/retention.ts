import type { Retention } from "../core/archive.ts";
import { type Db, transaction } from "./open.ts";
import { insertStored } from "./rows.ts";
import type { Store } from "./store.ts";

/** Deleting for good, and looking whether everything is as it should be. */
export const retention = (db: Db, held: () => void, store: Store): Retention => {
  /** The tombstone keeps what it takes to know the call again, and nothing of what was said in it. */
  const bury = (): void => {
    const rows = db
      .prepare(
        `select i.block, json_group_array(i.item) as items from temp.doomed d cross join items i on i.item = d.item
         where i.block is not null group by i.block`,
      )
      .all() as { block: number; items: string }[];
    for (const { block, items } of rows) store.drop(block, new Set(JSON.parse(items) as number[]));
    db.exec(`
      update items set state = 'pruned', block = null, bytes = null, said = null, sha256 = null, link = nullif(link, ''),
        status = null, error_code = null, error_message = null, error_request_id = null, error_status = null,
        error_at = null
      where item in (select item from temp.doomed)`);
  };
  return {
    prune: async (filter) => {
      await store.tidying();
      return transaction(db, () => {
        held();
        db.exec("create temp table doomed (item integer primary key)");
        const pruned = insertStored(db, "insert into temp.doomed", filter);
        bury();
        db.exec("drop table temp.doomed");
        return pruned;
      });
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
          `select count(*) as n from items i left join blocks b on b.block = i.block
           where i.state = 'fetched' and b.block is null`,
        )
        .get() as { n: number };
      if (orphans.n > 0) wrong.push(`${orphans.n} fetched ${orphans.n === 1 ? "call has" : "calls have"} no document`);
      return wrong;
    },
  };
};
