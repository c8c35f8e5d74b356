import type { Delivered, Deliveries } from "../core/deliveries.ts";
import { deliveredIn } from "./delivered-in.ts";
import { type Db, transaction } from "./open.ts";
import { conditionForId, firstRow } from "./rows.ts";
import { Spans } from "./spans.ts";

const NOT_CHANGED: Delivered = {};
/** The format of destinations that are data sets; no writer has this name. */
const DATASET = "dataset";

/** The record of what each destination received. `assertLocked` throws when the lock is lost. */
export const deliveries = (db: Db, assertLocked: () => void): Deliveries & { beginReading(): void } => {
  const delivering = new Map<string, { first: Spans; again: Map<number, number> }>();
  /** The revisions that `delivered` has found, by format and item: such an item is delivered again. */
  const revisions = new Map<string, Map<number, number>>();
  /** The last change before the conversations were read. */
  let changeAtReading: number | undefined;
  const lastChange = (): number =>
    firstRow<{ n: number | null }>(db.prepare("select max(change) as n from changes").get())?.n ?? 0;
  const firstPart = deliveredIn(db);
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
        `insert into parts (destination, part, prepared, token, change) values (?, ?, 1, ?, ?)
         on conflict (destination, part) do update set prepared = 1, token = excluded.token, change = excluded.change`,
      ).run(at, part, token ?? null, changeAtReading ?? lastChange());
      // A plain export replaces older files, so it is recorded only when its files are in place.
      if (part > 0) record(at, format, part);
    }
  };
  const record = (at: number, format: string, part: number): void => {
    const noted = delivering.get(format);
    if (!noted) return;
    const add = db.prepare("insert into deliveries (destination, first, last, part) values (?, ?, ?, ?)");
    for (const [first, last] of noted.first.spans()) add.run(at, first, last, part);
    const addAgain = db.prepare("insert into revisions (destination, item, revision, part) values (?, ?, ?, ?)");
    for (const [item, revision] of noted.again) addAgain.run(at, item, revision, part);
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
      db.prepare(`delete from revisions where ${ofPlace}`).run(place);
      db.prepare(`delete from parts where ${ofPlace} and not (part = 0 and prepared = 1)`).run(place);
      for (const { format, destination: at } of formats) record(at, format, 0);
    }
    db.prepare(`update parts set prepared = 0 where part = ? and ${ofPlace}`).run(part, place);
    delivering.clear();
  };

  const withdraw = (place: string, part: number): void => {
    assertLocked();
    db.prepare(`delete from deliveries where part = ? and ${ofPlace}`).run(part, place);
    db.prepare(`delete from revisions where part = ? and ${ofPlace}`).run(part, place);
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
        `insert into parts (destination, part, prepared, token, change)
         select ?, part, 0, token, change from parts where destination = ? and ${hasToken} on conflict do nothing`,
      ).run(at, source, list);
      db.prepare(
        `insert into deliveries (destination, first, last, part)
         select ?, first, last, part from deliveries where destination = ?
           and part in (select part from parts where destination = ? and ${hasToken}) on conflict do nothing`,
      ).run(at, source, source, list);
      db.prepare(
        `insert into revisions (destination, item, revision, part)
         select ?, item, revision, part from revisions where destination = ?
           and part in (select part from parts where destination = ? and ${hasToken}) on conflict do nothing`,
      ).run(at, source, source, list);
    }
  };

  const lastRevision = db.prepare(
    "select revision, part from revisions where destination = ? and item = ? order by revision desc limit 1",
  );
  const firstChangeAfter = db.prepare(
    `select lower(hex(before)) as before from changes
     where item = ? and change > (select change from parts where destination = ? and part = ?) order by change limit 1`,
  );
  const changedItems = db.prepare(
    "select json_group_array(distinct c.item) as items from json_each(?) n cross join changes c on c.item = n.value",
  );

  /** What a destination has received of an item that has changed at some time, first in `part`. */
  const withChanges = (at: number, item: number, part: number): Delivered => {
    const again = firstRow<{ revision: number; part: number }>(lastRevision.get(at, item));
    const change = firstRow<{ before: string }>(firstChangeAfter.get(item, at, again?.part ?? part));
    return change ? { changed: { number: (again?.revision ?? 1) + 1, before: change.before } } : {};
  };

  const delivered = (at: number, format: string, items: readonly number[]): Map<number, Delivered> => {
    const found = new Map<number, Delivered>();
    const parts = new Map<number, number>();
    for (const item of items) {
      const part = firstPart(at, item);
      if (part === undefined) continue;
      found.set(item, NOT_CHANGED);
      parts.set(item, part);
    }
    const { items: changed } = changedItems.get(JSON.stringify([...parts.keys()])) as { items: string };
    const ofFormat = revisions.get(format) ?? new Map<number, number>();
    revisions.set(format, ofFormat);
    for (const item of JSON.parse(changed) as number[]) {
      const state = withChanges(at, item, parts.get(item) ?? 0);
      found.set(item, state);
      if (state.changed) ofFormat.set(item, state.changed.number);
    }
    return found;
  };

  return {
    /** Called before conversations are read: later changes are not in what is delivered. */
    beginReading: () => {
      changeAtReading = lastChange();
    },
    delivered: async (place, format, items) => {
      const at = findDestination(place, format);
      return at === undefined ? new Map() : delivered(at, format, items);
    },
    delivering: async (format, items) => {
      const noted = delivering.get(format) ?? { first: new Spans(), again: new Map() };
      delivering.set(format, noted);
      for (const item of items) {
        const revision = revisions.get(format)?.get(item);
        if (revision === undefined) noted.first.add(item);
        else noted.again.set(item, revision);
      }
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
    holding: async (id, sources) => {
      const { terms, values } = conditionForId(db, id, sources);
      return db
        .prepare(
          `select distinct d.place, d.format from items i, destinations d where ${terms.join(" and ")} and exists (
             select 1 from deliveries x where x.destination = d.destination and x.first <= i.item and x.last >= i.item)
           order by d.place, d.format`,
        )
        .all(...values) as { place: string; format: string }[];
    },
    rememberSet: async (place) => {
      // The lock is that of runs that write conversations; SQLite alone keeps this statement whole.
      db.prepare("insert into destinations (place, format) values (?, ?) on conflict do nothing").run(place, DATASET);
    },
    sets: async () => {
      const rows = db.prepare("select place from destinations where format = ? order by place").all(DATASET);
      return (rows as { place: string }[]).map(({ place }) => place);
    },
  };
};
