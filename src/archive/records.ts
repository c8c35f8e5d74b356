import { hash } from "node:crypto";
import type { Records } from "../core/archive.ts";
import { canonicalJson } from "../core/canonical.ts";
import { keyOf } from "../core/conversation-id.ts";
import { checkIds } from "../core/ids.ts";
import type { Arrival, ArrivalResult } from "../core/records.ts";
import type { ChangeLog } from "./change-log.ts";
import { changes } from "./changes.ts";
import { type Db, transaction } from "./open.ts";
import { type Agents, firstRow } from "./rows.ts";
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

interface ItemState {
  item: number;
  state: string;
}

/** Records of conversations that have many. */
export const records = (
  db: Db,
  now: () => Date,
  assertLocked: () => void,
  agents: Agents,
  store: Store,
  changeLog: ChangeLog,
): Records => {
  const findItem = db.prepare("select item, state from items where key = ?");
  const insertItem = db.prepare(
    `insert into items (source, key, named, instance_id, state, seen_at) values (?, ?, 1, ?, 'pending', ?)
     returning item, state`,
  );
  const select = db.prepare("insert into temp.selected (item, batch) values (?, 0) on conflict do nothing");
  const findVariants = db.prepare(
    `select record, item, final, set_aside, lower(hex(sha256)) as sha256, bytes, block
     from records where source = ? and id = ?`,
  );
  const insertRecord = db.prepare(
    `insert into records (source, id, item, at, arrived, final, sha256, bytes) values (?, ?, ?, ?, ?, ?, unhex(?), ?)
     returning record`,
  );
  const deleteRecord = db.prepare("delete from records where record = ?");
  const setAside = db.prepare("update records set set_aside = ? where record = ?");
  // An agent that differs between records is decided by content, too: the lowest id.
  const setAgent = db.prepare(
    `update items set agent = (select agent from agents where agent in (items.agent, ?) order by agent_id limit 1)
     where item = ?`,
  );
  // A conversation of which every record was found to belong to another one keeps its place, and says so.
  const update = db.prepare(
    `update items set (started_at, last_at, bytes) =
         (select min(at), max(min(coalesce(at, arrived), arrived)), sum(bytes) from records
          where item = items.item and set_aside = 0)
       where item = ? and source <> 'calls'`,
  );
  const settle = db.prepare(
    `update items set state = iif(last_at is null, 'invalid', 'fetched'),
         error_code = iif(last_at is null, 'Conflict', null),
         error_message = iif(last_at is null, 'its records carry the ids of records of other conversations', null),
         error_at = iif(last_at is null, ?, null)
       where item = ? and source <> 'calls'`,
  );

  const itemOf = ({ source, conversation }: Arrival): ItemState => {
    const key = keyOf({ source, id: conversation });
    const known = firstRow<ItemState>(findItem.get(key));
    return known ?? (insertItem.get(source, key, conversation, now().getTime()) as ItemState);
  };

  const add = (
    arrivals: readonly Arrival[],
    texts: readonly Buffer[],
    refresh: boolean,
    selects: boolean,
  ): ArrivalResult[] => {
    assertLocked();
    const change = changes(store);
    const touched = new Set<number>();
    const touch = (item: number): void => {
      if (touched.has(item)) return;
      changeLog.beforeChange(item);
      touched.add(item);
    };
    const remove = ({ record, item, block }: Variant): void => {
      touch(item);
      change.remove({ item: -record, block });
      deleteRecord.run(record);
    };

    const addOne = (arrival: Arrival, data: Buffer): ArrivalResult => {
      const { agentId, record } = arrival;
      const source = record.source ?? arrival.source;
      const { item, state } = itemOf(arrival);
      if (selects) select.run(item);
      if (state === "pruned") return "dropped";
      // Also when its record turns out to belong to another conversation: whichever came first.
      if (state === "pending") touched.add(item);
      if (agentId !== undefined) setAgent.run(agents.number(agentId), item);
      const sha256 = hash("sha256", data);
      let variants = findVariants.all(source, record.id) as Variant[];
      if (variants.some((variant) => variant.sha256 === sha256)) return "repeated";
      const isFinal = record.running !== true;
      // An earlier state that comes late.
      if (!refresh && !isFinal && variants.some(({ final }) => final === 1)) return "repeated";
      const replaced = variants.filter(({ final }) => refresh || (isFinal && final === 0));
      for (const variant of replaced) remove(variant);
      variants = variants.filter((variant) => !replaced.includes(variant));
      touch(item);
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
      ) as { record: number };
      change.put({ item: -row.record, block: null }, { item: -row.record, document: data });
      if (variants.length === 0) return replaced.length > 0 ? "replaced" : "added";
      const own = { ...row, item, final: 1, set_aside: 0, sha256, bytes: data.length, block: null };
      const chosen = choose([...variants, own]);
      for (const variant of [...variants, own]) {
        touch(variant.item);
        setAside.run(variant === chosen ? 0 : 1, variant.record);
      }
      return "conflict";
    };

    const results = arrivals.map((arrival, at) => addOne(arrival, texts[at] as Buffer));
    change.write([]);
    const at = now().toISOString();
    for (const item of touched) {
      update.run(item);
      settle.run(at, item);
    }
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
