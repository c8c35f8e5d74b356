import { keysOf } from "../core/conversation-id.ts";
import type { Adoption } from "../core/deliveries.ts";
import { linkDigestOf } from "../core/stand-in.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow, sourcesOf } from "./rows.ts";

/** Noted calls are in temporary tables, so that memory does not grow with the files. */
const TABLES = `
  create temp table if not exists adopting (
    format text not null,
    item integer not null,
    part integer not null,
    primary key (format, item)
  ) without rowid;
  create temp table if not exists adopting_again (
    format text not null,
    item integer not null,
    part integer not null,
    primary key (format, item, part)
  ) without rowid;
  create temp table if not exists adopting_unknown (key text primary key) without rowid;
`;

/** Rebuilds the record of a place from the calls in its files. `assertLocked` throws when the lock is lost. */
export const adoption = (db: Db, assertLocked: () => void): Adoption => {
  const count = (sql: string): number => firstRow<{ n: number }>(db.prepare(sql).get())?.n ?? 0;

  const adopt: (...args: Parameters<Adoption["adopt"]>) => void = (place, parts) => {
    assertLocked();
    const ofPlace = "destination in (select destination from destinations where place = ?)";
    db.prepare(`delete from deliveries where ${ofPlace}`).run(place);
    db.prepare(`delete from revisions where ${ofPlace}`).run(place);
    db.prepare(`delete from parts where ${ofPlace}`).run(place);
    for (const { part, token, formats } of parts)
      for (const format of formats) {
        db.prepare("insert into destinations (place, format) values (?, ?) on conflict do nothing").run(place, format);
        db.prepare(
          // What is there counts as up to date: files do not say which change they know of.
          `insert into parts (destination, part, prepared, token, change)
           select destination, ?, 0, ?, (select coalesce(max(change), 0) from changes)
           from destinations where place = ? and format = ?`,
        ).run(part, token, place, format);
      }
    // Consecutive items of a part become one row: their number minus their rank is the same.
    db.prepare(
      `insert into deliveries (destination, first, last, part)
       select d.destination, min(a.item), max(a.item), a.part
       from (select format, item, part, item - row_number() over (partition by format, part order by item) as stretch
             from adopting) a
       join destinations d on d.place = ? and d.format = a.format
       group by a.format, a.part, a.stretch`,
    ).run(place);
    db.prepare(
      `insert into revisions (destination, item, revision, part)
       select d.destination, a.item, 1 + row_number() over (partition by a.format, a.item order by a.part), a.part
       from adopting_again a join destinations d on d.place = ? and d.format = a.format`,
    ).run(place);
  };

  return {
    adopting: async (part, formats, ids) => {
      db.exec(TABLES);
      const byKey = db.prepare("select item from items where key = ?");
      const byLink = db.prepare("select item from links where link = ?");
      const find = (key: string): number | undefined => {
        const link = linkDigestOf(key);
        const row =
          (link && firstRow<{ item: number }>(byLink.get([link]))) ?? firstRow<{ item: number }>(byKey.get(key));
        return row?.item;
      };
      // A call counts for the first part that holds it: spans of one destination never overlap. Later ones are revisions.
      const add = db.prepare("insert into adopting (format, item, part) values (?, ?, ?) on conflict do nothing");
      const addAgain = db.prepare(
        `insert into adopting_again (format, item, part) select ?1, ?2, ?3
         where not exists (select 1 from adopting where format = ?1 and item = ?2 and part = ?3) on conflict do nothing`,
      );
      const addUnknown = db.prepare("insert into adopting_unknown (key) values (?) on conflict do nothing");
      const sources = sourcesOf(db);
      for (const id of ids) {
        const key = keysOf(id, sources)[0] ?? "";
        const item = find(key);
        if (item === undefined) addUnknown.run(key);
        else
          for (const format of formats) if (add.run(format, item, part).changes === 0) addAgain.run(format, item, part);
      }
    },
    adopt: async (place, parts) => {
      db.exec(TABLES);
      transaction(db, () => adopt(place, parts));
      const counts = {
        known: count("select count(distinct item) as n from adopting"),
        unknown: count("select count(*) as n from adopting_unknown"),
      };
      db.exec("drop table adopting; drop table adopting_again; drop table adopting_unknown");
      return counts;
    },
  };
};
