import type { Deliveries } from "../core/deliveries.ts";
import { type Db, transaction } from "./open.ts";
import { conditionForId, firstRow } from "./rows.ts";
import { Spans } from "./spans.ts";

/** The record of what each destination received. `assertLocked` throws when the lock is lost. */
export const deliveries = (db: Db, assertLocked: () => void): Deliveries => {
  const delivering = new Map<string, Spans>();
  // Spans of one destination never overlap: only the last span that begins at or before an item can contain it.
  const lastSpan = db.prepare(
    "select last from deliveries where destination = ? and first <= ? order by first desc, part desc limit 1",
  );
  const selectDestination = db.prepare("select destination from destinations where place = ? and format = ?");
  const findDestination = (place: string, format: string): number | undefined =>
    firstRow<{ destination: number }>(selectDestination.get(place, format))?.destination;
  const addDestination = (place: string, format: string): number => {
    db.prepare("insert into destinations (place, format) values (?, ?) on conflict do nothing").run(place, format);
    return findDestination(place, format) as number;
  };
  const ofPlace = "destination in (select destination from destinations where place = ?)";

  const prepare = (place: string, formats: readonly string[], part: number, token?: string): void => {
    assertLocked();
    // Deletes what a killed plain export left: this export replaces it, even in other formats.
    if (part === 0) db.prepare(`delete from parts where ${ofPlace} and part = 0 and prepared = 1`).run(place);
    for (const format of formats) {
      const at = addDestination(place, format);
      db.prepare(
        `insert into parts (destination, part, prepared, token) values (?, ?, 1, ?)
         on conflict (destination, part) do update set prepared = 1, token = excluded.token`,
      ).run(at, part, token ?? null);
      // A plain export replaces older files, so it is recorded only when its files are in place.
      if (part > 0) record(at, format, part);
    }
  };
  const record = (at: number, format: string, part: number): void => {
    const add = db.prepare("insert into deliveries (destination, first, last, part) values (?, ?, ?, ?)");
    for (const [first, last] of delivering.get(format)?.spans() ?? []) add.run(at, first, last, part);
  };

  const confirm = (place: string, part: number): void => {
    assertLocked();
    if (part === 0) {
      const formats = db
        .prepare(
          `select d.format, d.destination from destinations d join parts p on p.destination = d.destination
           where d.place = ? and p.part = 0 and p.prepared = 1`,
        )
        .all(place) as { format: string; destination: number }[];
      // Deletes the record of all older parts: the new manifest does not name them.
      db.prepare(`delete from deliveries where ${ofPlace}`).run(place);
      db.prepare(`delete from parts where ${ofPlace} and not (part = 0 and prepared = 1)`).run(place);
      for (const { format, destination: at } of formats) record(at, format, 0);
    }
    db.prepare(`update parts set prepared = 0 where part = ? and ${ofPlace}`).run(part, place);
    delivering.clear();
  };

  const withdraw = (place: string, part: number): void => {
    assertLocked();
    db.prepare(`delete from deliveries where part = ? and ${ofPlace}`).run(part, place);
    db.prepare(`delete from parts where part = ? and ${ofPlace}`).run(part, place);
  };

  const copyParts = (from: string, to: string, tokens: readonly string[]): void => {
    assertLocked();
    const list = JSON.stringify(tokens);
    const hasToken = "token in (select value from json_each(?))";
    const sources = db.prepare("select destination, format from destinations where place = ?").all(from) as {
      destination: number;
      format: string;
    }[];
    for (const { destination: source, format } of sources) {
      if (!db.prepare(`select 1 from parts where destination = ? and ${hasToken}`).get(source, list)) continue;
      const at = addDestination(to, format);
      db.prepare(
        `insert into parts (destination, part, prepared, token)
         select ?, part, 0, token from parts where destination = ? and ${hasToken} on conflict do nothing`,
      ).run(at, source, list);
      db.prepare(
        `insert into deliveries (destination, first, last, part)
         select ?, first, last, part from deliveries where destination = ?
           and part in (select part from parts where destination = ? and ${hasToken}) on conflict do nothing`,
      ).run(at, source, source, list);
    }
  };

  return {
    delivered: async (place, format, items) => {
      const at = findDestination(place, format);
      const isDelivered = (item: number): boolean =>
        (firstRow<{ last: number }>(lastSpan.get(at, item))?.last ?? 0) >= item;
      return new Set(at === undefined ? [] : items.filter(isDelivered));
    },
    delivering: async (format, items) => {
      const spans = delivering.get(format) ?? new Spans();
      delivering.set(format, spans);
      for (const item of items) spans.add(item);
    },
    lastPart: async (place, format) => {
      const of = format === undefined ? ofPlace : ofPlace.replace("place = ?", "place = ? and format = ?");
      const row = firstRow<{ part: number; prepared: number }>(
        db
          .prepare(`select part, max(prepared) as prepared from parts where ${of} group by part order by part desc`)
          .get(...(format === undefined ? [place] : [place, format])),
      );
      return row && { part: row.part, prepared: row.prepared === 1 };
    },
    parts: async (place) => {
      const rows = db
        .prepare(
          `select part, max(prepared) as prepared, max(token) as token from parts where ${ofPlace} group by part order by part`,
        )
        .all(place) as { part: number; prepared: number; token: string | null }[];
      return rows.map(({ part, prepared, token }) => ({ part, prepared: prepared === 1, ...(token && { token }) }));
    },
    prepare: async (place, formats, part, token) => transaction(db, () => prepare(place, formats, part, token)),
    confirm: async (place, part) => transaction(db, () => confirm(place, part)),
    withdraw: async (place, part) => transaction(db, () => withdraw(place, part)),
    setTokens: async (place, parts) =>
      transaction(db, () => {
        assertLocked();
        const set = db.prepare(`update parts set token = ? where part = ? and ${ofPlace}`);
        for (const { part, token } of parts) set.run(token, part, place);
      }),
    placeOf: async (tokens, except) =>
      firstRow<{ place: string }>(
        db
          .prepare(
            `select d.place from parts p join destinations d on d.destination = p.destination
             where p.token in (select value from json_each(?)) and d.place <> ?
             group by d.place having count(distinct p.token) = ? order by d.place limit 1`,
          )
          .get(JSON.stringify(tokens), except, new Set(tokens).size),
      )?.place,
    copyParts: async (from, to, tokens) => transaction(db, () => copyParts(from, to, tokens)),
    holding: async (id) => {
      const { term, value } = conditionForId(id);
      return db
        .prepare(
          `select d.place, d.format from items i, destinations d where ${term} and exists (
             select 1 from deliveries x where x.destination = d.destination and x.first <= i.item and x.last >= i.item)
           order by d.place, d.format`,
        )
        .all(value) as { place: string; format: string }[];
    },
  };
};
