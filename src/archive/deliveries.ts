import type { Deliveries } from "../core/archive.ts";
import { type Db, transaction } from "./open.ts";
import { one } from "./rows.ts";

/** What was written where. */
export const deliveries = (db: Db, held: () => void): Deliveries => {
  db.exec("create temp table delivering (format text, item integer, primary key (format, item)) without rowid");
  const add = db.prepare("insert into temp.delivering (format, item) values (?, ?) on conflict do nothing");
  const had = db.prepare(
    `select 1 from deliveries x join destinations d on d.destination = x.destination
     where d.place = ? and d.format = ? and x.item = ?`,
  );
  const destination = (place: string, format: string): number => {
    db.prepare("insert into destinations (place, format) values (?, ?) on conflict do nothing").run(place, format);
    return (
      db.prepare("select destination from destinations where place = ? and format = ?").get(place, format) as {
        destination: number;
      }
    ).destination;
  };
  const here = "destination in (select destination from destinations where place = ?)";

  const prepare = (place: string, formats: readonly string[], part: number): void => {
    held();
    for (const format of formats) {
      const at = destination(place, format);
      db.prepare(
        `insert into parts (destination, part, prepared) values (?, ?, 1)
         on conflict (destination, part) do update set prepared = 1`,
      ).run(at, part);
      // A plain export replaces what was there: it is recorded when it is in place.
      if (part > 0) record(at, format, part);
    }
  };
  const record = (at: number, format: string, part: number): void => {
    db.prepare(
      `insert into deliveries (destination, item, part) select ?, item, ? from temp.delivering where format = ?
       on conflict (destination, item) do nothing`,
    ).run(at, part, format);
  };

  const confirm = (place: string, part: number): void => {
    held();
    if (part === 0) {
      const formats = db
        .prepare(
          `select d.format, d.destination from destinations d join parts p on p.destination = d.destination
           where d.place = ? and p.part = 0 and p.prepared = 1`,
        )
        .all(place) as { format: string; destination: number }[];
      for (const { format, destination: at } of formats) {
        db.prepare("delete from deliveries where destination = ?").run(at);
        record(at, format, 0);
      }
    }
    db.prepare(`update parts set prepared = 0 where part = ? and ${here}`).run(part, place);
    db.exec("delete from temp.delivering");
  };

  const withdraw = (place: string, part: number): void => {
    held();
    db.prepare(`delete from deliveries where part = ? and ${here}`).run(part, place);
    db.prepare(`delete from parts where part = ? and ${here}`).run(part, place);
  };

  return {
    delivered: async (place, format, items) =>
      new Set(items.filter((item) => had.get(place, format, item) !== undefined)),
    delivering: async (format, items) => {
      transaction(db, () => {
        for (const item of items) add.run(format, item);
      });
    },
    lastPart: async (place) => {
      const row = one<{ part: number; prepared: number }>(
        db
          .prepare(`select part, max(prepared) as prepared from parts where ${here} group by part order by part desc`)
          .get(place),
      );
      return row && { part: row.part, prepared: row.prepared === 1 };
    },
    prepare: async (place, formats, part) => transaction(db, () => prepare(place, formats, part)),
    confirm: async (place, part) => transaction(db, () => confirm(place, part)),
    withdraw: async (place, part) => transaction(db, () => withdraw(place, part)),
    holding: async (id) =>
      db
        .prepare(
          `select distinct d.place, d.format from items i join deliveries x on x.item = i.item
           join destinations d on d.destination = x.destination where i.key = ? order by d.place, d.format`,
        )
        .all(id.toLowerCase()) as { place: string; format: string }[],
  };
};
