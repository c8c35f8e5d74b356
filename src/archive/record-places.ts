import { keyOf } from "../core/conversation-id.ts";
import type { Arrival } from "../core/records.ts";
import type { ChangeLog } from "./change-log.ts";
import type { changes } from "./changes.ts";
import { mediaOfRecords } from "./media.ts";
import type { Db } from "./open.ts";
import { firstRow, spellingOf } from "./rows.ts";
import type { SessionIndex } from "./sessions.ts";

export interface ItemState {
  item: number;
  state: string;
  /** It was added for this record. */
  isNew?: true;
}

/** The conversations whose records a commit changes. */
export type Touched = Set<number>;

/**
Which conversation each record belongs to, and what the records of a conversation say about it. All of it runs inside the
commit's transaction.
*/
export const recordPlaces = (db: Db, now: () => Date, sessions: SessionIndex, changeLog: ChangeLog) => {
  const media = mediaOfRecords(db);
  const findItem = db.prepare("select item, state from items where key = ?");
  const insertItem = db.prepare(
    `insert into items (source, key, named, instance_id, state, seen_at) values (?, ?, 1, ?, 'pending', ?)
     returning item, state`,
  );
  const deleteRecord = db.prepare("delete from records where record = ?");
  const setItem = db.prepare("update records set item = ? where record = ?");
  // A run that selected the records still counts the conversation that they are in.
  const selectToo = db.prepare(
    "insert into temp.selected (item, batch) select ?, batch from temp.selected where item = ? on conflict do nothing",
  );
  const recordsOf = db.prepare("select record, source, id from records where item = ?");
  // A conversation of which every record was found to belong to another one keeps its place, and says so.
  const update = db.prepare(
    `update items set (started_at, last_at, bytes) =
         (select min(at), max(min(coalesce(at, arrived), arrived)), sum(bytes) from records
          where item = items.item and set_aside = 0)
       where item = ? and source <> 'calls'`,
  );
  // The log's own start counts, if there is one.
  const updateCall = db.prepare(
    `update items set last_at = r.last_at, further = r.bytes,
         started_at = iif(items.sha256 is null, r.first_at, coalesce(items.started_at, r.first_at))
       from (select min(at) as first_at, max(min(coalesce(at, arrived), arrived)) as last_at, sum(bytes) as bytes
             from records where item = ? and set_aside = 0) r
       where items.item = ? and items.source = 'calls'`,
  );
  const settle = db.prepare(
    `update items set state = iif(last_at is null, 'invalid', 'fetched'),
         error_code = iif(last_at is null, 'Conflict', null),
         error_message = iif(last_at is null, 'its records carry the ids of records of other conversations', null),
         error_at = iif(last_at is null, ?, null)
       where item = ? and source <> 'calls'`,
  );
  const isEmpty = db.prepare(
    `select i.source = 'dialogues' and i.state <> 'pruned' and not exists (select 1 from records r where r.item = i.item) as empty
     from items i where i.item = ?`,
  );
  const deleteItem = ["temp.selected", "changes", "reported", "items"].map((table) =>
    db.prepare(`delete from ${table} where item = ?`),
  );

  const itemOf = ({ source, conversation }: Pick<Arrival, "source" | "conversation">): ItemState => {
    const key = keyOf({ source, id: conversation });
    const known = firstRow<ItemState>(findItem.get(key));
    if (known) return known;
    // Calls without a log are named by their key: callbacks may differ in letter case.
    const name = source === "calls" ? spellingOf(key) : conversation;
    return { ...(insertItem.get(source, key, name, now().getTime()) as ItemState), isNew: true };
  };

  const touch = (touched: Touched, item: number): void => {
    if (touched.has(item)) return;
    changeLog.beforeChange(item);
    touched.add(item);
  };

  const move = (touched: Touched, { record, source, id, item }: StoredRecord, to: number): void => {
    touch(touched, item);
    touch(touched, to);
    setItem.run(to, record);
    media.move(to, source, id);
  };

  /** Deletes a record with its files. */
  const remove = (
    touched: Touched,
    change: ReturnType<typeof changes>,
    { record, source, id, item, block }: StoredRecord & { block: number | null },
  ): void => {
    touch(touched, item);
    change.remove({ item: -record, block });
    media.remove(source, id);
    deleteRecord.run(record);
  };

  const close = (touched: Touched): void => {
    const at = now().toISOString();
    for (const item of touched) {
      if ((firstRow<{ empty: number }>(isEmpty.get(item))?.empty ?? 0) === 1) {
        for (const statement of deleteItem) statement.run(item);
        continue;
      }
      update.run(item);
      updateCall.run(item, item);
      settle.run(at, item);
    }
  };

  /** Where a record belongs. A dialogue of a call belongs to the call, once it is known. */
  const placeOf = (arrival: Arrival): ItemState => {
    const { conversation, record } = arrival;
    const call =
      record.inCall && record.at !== undefined ? sessions.callAt(conversation, record.at.getTime()) : undefined;
    return call ?? itemOf(arrival);
  };

  return {
    addMedia: media.add,
    remove,
    placeOf,
    touch,
    move,
    /** Sums up the conversations that were touched. */
    close,
    /** Moves the dialogues of a session to the calls in which they were said, after a call of it became known. */
    placeSession: (session: string, change: ReturnType<typeof changes>): void => {
      const touched: Touched = new Set();
      for (const spoken of sessions.spokenIn(session)) {
        const call = sessions.callAt(session, spoken.at);
        const stored = { ...spoken, source: "dialogues" };
        const to = call ?? itemOf({ source: "dialogues", conversation: session });
        if (to.state === "pruned") remove(touched, change, stored);
        else if (to.item !== spoken.item) {
          selectToo.run(to.item, spoken.item);
          move(touched, stored, to.item);
        }
      }
      close(touched);
    },
    /** Moves all records of an item to another one that turned out to be the same call. */
    moveAll: (from: number, to: number): void => {
      const all = recordsOf.all(from) as Omit<StoredRecord, "item">[];
      if (all.length === 0) return;
      const touched: Touched = new Set([from, to]);
      for (const each of all) move(touched, { ...each, item: from }, to);
      close(touched);
    },
  };
};

interface StoredRecord {
  record: number;
  item: number;
  source: string;
  id: string;
}

export type RecordPlaces = ReturnType<typeof recordPlaces>;
