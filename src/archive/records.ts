import { hash } from "node:crypto";
import type { Records } from "../core/archive.ts";
import { canonicalJson } from "../core/canonical.ts";
import { checkIds } from "../core/ids.ts";
import type { Arrival, ArrivalResult } from "../core/records.ts";
import { changes } from "./changes.ts";
import { type Db, transaction } from "./open.ts";
import type { RecordPlaces, Touched } from "./record-places.ts";
import type { Agents } from "./rows.ts";
import type { Store } from "./store.ts";

/** A record of the archive, or one that arrives. Records with one source and id are variants of one record. */
interface Variant {
  record: number;
  item: number;
  final: number;
  set_aside: number;
  sha256: string;
  bytes: number;
  block: number | null;
}

/** The variant that is used: the longest one; of equally long ones, that with the lowest SHA-256. Never the first to come. */
const choose = (variants: readonly Variant[]): Variant | undefined =>
  variants.toSorted((one, other) => other.bytes - one.bytes || (one.sha256 < other.sha256 ? -1 : 1))[0];

/** Records of conversations that have many. */
export const records = (
  db: Db,
  now: () => Date,
  assertLocked: () => void,
  agents: Agents,
  store: Store,
  places: RecordPlaces,
): Records => {
  const select = db.prepare("insert into temp.selected (item, batch) values (?, 0) on conflict do nothing");
  const findVariants = db.prepare(
    `select record, item, final, set_aside, lower(hex(sha256)) as sha256, bytes, block
     from records where source = ? and id = ?`,
  );
  const insertRecord = db.prepare(
    `insert into records (source, id, item, at, arrived, final, sha256, bytes, in_call)
     values (?, ?, ?, ?, ?, ?, unhex(?), ?, ?) returning record`,
  );
  const setAside = db.prepare("update records set set_aside = ? where record = ?");
  // An agent that differs between records is decided by content, too: the lowest id.
  const setAgent = db.prepare(
    `update items set agent = (select agent from agents where agent in (items.agent, ?) order by agent_id limit 1)
     where item = ?`,
  );
  const add = (
    arrivals: readonly Arrival[],
    texts: readonly Buffer[],
    refresh: boolean,
    selects: boolean,
  ): ArrivalResult[] => {
    assertLocked();
    const change = changes(store);
    const touched: Touched = new Set();

    const addOne = (arrival: Arrival, data: Buffer): ArrivalResult => {
      const { agentId, record } = arrival;
      const source = record.source ?? arrival.source;
      const { item, state, isNew } = places.placeOf(arrival);
      if (selects) select.run(item);
      if (state === "pruned") return "dropped";
      // Also when its record turns out to belong to another conversation: whichever came first.
      if (isNew) touched.add(item);
      if (agentId !== undefined) setAgent.run(agents.number(agentId), item);
      const sha256 = hash("sha256", data);
      let variants = findVariants.all(source, record.id) as Variant[];
      const same = variants.find((variant) => variant.sha256 === sha256);
      if (same && (same.item === item || record.inCall !== true)) return "repeated";
      if (same) {
        places.move(touched, { ...same, source, id: record.id }, item);
        return "moved";
      }
      const isFinal = record.running !== true;
      // An earlier state that comes late.
      if (!refresh && !isFinal && variants.some(({ final }) => final === 1)) return "repeated";
      const replaced = variants.filter(({ final }) => refresh || (isFinal && final === 0));
      for (const variant of replaced) places.remove(touched, change, { ...variant, source, id: record.id });
      variants = variants.filter((variant) => !replaced.includes(variant));
      places.touch(touched, item);
      const at = record.at?.getTime() ?? null;
      const row = insertRecord.get(
        source,
        record.id,
        item,
        at,
        now().getTime(),
        isFinal ? 1 : 0,
        sha256,
        data.length,
        record.inCall ? 1 : 0,
      ) as { record: number };
      places.addMedia(item, { source, id: record.id, at }, record.media ?? []);
      change.put({ item: -row.record, block: null }, { item: -row.record, document: data });
      if (variants.length === 0) return replaced.length > 0 ? "replaced" : "added";
      const own = { ...row, item, final: 1, set_aside: 0, sha256, bytes: data.length, block: null };
      const chosen = choose([...variants, own]);
      for (const variant of [...variants, own]) {
        places.touch(touched, variant.item);
        setAside.run(variant === chosen ? 0 : 1, variant.record);
      }
      return "conflict";
    };

    const results = arrivals.map((arrival, at) => addOne(arrival, texts[at] as Buffer));
    change.write([]);
    places.close(touched);
    return results;
  };

  const findStates = db.prepare(
    `select r.id, max(r.final) as final from json_each(?) n cross join records r on r.source = ? and r.id = n.value
     group by r.id`,
  );
  const findEarliest = db.prepare(
    "select min(coalesce(at, arrived)) as at from records where source = ? and final = 0 and coalesce(at, arrived) >= ?",
  );

  return {
    recordStates: async (source, ids) => {
      const rows = findStates.all(JSON.stringify(ids), source) as { id: string; final: number }[];
      return new Map(rows.map(({ id, final }) => [id, final === 1 ? "final" : "running"]));
    },
    earliestRunning: async (source, since) => {
      const { at } = findEarliest.get(source, since.getTime()) as { at: number | null };
      return at === null ? undefined : new Date(at);
    },
    addRecords: async (arrivals, { refresh = false, select: selects = true } = {}) => {
      checkIds(arrivals.flatMap(({ conversation, record }) => [conversation, record.id]));
      const texts = arrivals.map(({ record }) => Buffer.from(canonicalJson(record.data)));
      const results = transaction(db, () => add(arrivals, texts, refresh, selects));
      await store.compactIfNeeded();
      return results;
    },
    conflicts: async () =>
      (
        db
          .prepare(
            `select count(*) as n from records r indexed by records_set_aside
             where r.set_aside = 1 and exists (select 1 from temp.selected s where s.item = r.item)`,
          )
          .get() as { n: number }
      ).n,
  };
};
