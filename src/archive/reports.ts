import type { Reports } from "../core/archive.ts";
import { type Db, transaction } from "./open.ts";

const TROUBLE = "('missing', 'invalid', 'failed')";

/** Trouble that a finished run has reported, and trouble that a person has acknowledged. */
export const reports = (db: Db, assertLocked: () => void): Reports => {
  /** Items of a JSON list that are in trouble. */
  const listed = `from json_each(?) n cross join items i on i.item = n.value where i.state in ${TROUBLE}`;
  return {
    trouble: async ({ logs = false } = {}) => {
      const { known, acknowledged } = db
        .prepare(
          `select coalesce(sum(r.acknowledged), 0) as acknowledged,
             coalesce(sum(r.acknowledged = 0 and r.state = i.state and r.code is i.error_code), 0) as known
           from items i indexed by items_unsettled cross join reported r on r.item = i.item
           where i.state <> 'fetched' and i.state in ${TROUBLE} ${logs ? "" : "and i.last_at is null"}
             and exists (select 1 from temp.selected s where s.item = i.item)`,
        )
        .get() as { known: number; acknowledged: number };
      // libsql adds a field of its own to rows.
      return { known, acknowledged };
    },
    acknowledge: async (items) =>
      transaction(db, () => {
        assertLocked();
        db.prepare(
          `insert into reported (item, state, code, acknowledged) select i.item, i.state, i.error_code, 1 ${listed}
           on conflict (item) do update set state = excluded.state, code = excluded.code, acknowledged = 1`,
        ).run(JSON.stringify(items));
      }),
    takeBack: async (items) =>
      transaction(db, () => {
        assertLocked();
        db.prepare("delete from reported where item in (select value from json_each(?))").run(JSON.stringify(items));
      }),
  };
};

/** Whether there are reports, or the selection has trouble to report. */
export const hasReports = (db: Db): boolean =>
  (
    db
      .prepare(
        `select exists (select 1 from reported) or exists (
           select 1 from items i indexed by items_unsettled where i.state <> 'fetched' and i.state in ${TROUBLE}
             and exists (select 1 from temp.selected s where s.item = i.item)) as has`,
      )
      .get() as { has: number }
  ).has === 1;

/** Records the selection's trouble as reported, and deletes reports of calls fetched since. Needs a transaction. */
export const rememberReported = (db: Db): void => {
  db.exec(`
    insert into reported (item, state, code)
    select i.item, i.state, i.error_code from items i indexed by items_unsettled
    where i.state <> 'fetched' and i.state in ${TROUBLE}
      and exists (select 1 from temp.selected s where s.item = i.item)
    on conflict (item) do update set state = excluded.state, code = excluded.code;
    delete from reported where exists (
      select 1 from temp.selected s cross join items i on i.item = s.item
      where s.item = reported.item and i.state = 'fetched')`);
};
