import { hash } from "node:crypto";
import type { Sessions } from "../core/archive.ts";
import { keyOf } from "../core/conversation-id.ts";
import { parseMeta } from "../core/raw-conversation.ts";
import type { CallTimes, SessionOf } from "../core/records.ts";
import type { JsonObject } from "../core/transcript.ts";
import { type Db, transaction } from "./open.ts";
import { firstRow } from "./rows.ts";
import type { Store } from "./store.ts";

const ENABLED = "sessions";
/**
What was said this close to a call was said in it, in milliseconds: the times of calls are in whole seconds, and the last
words are written down after the end.
*/
const NEAR_MS = 60_000;
/** Calls of one step of the first reading. */
const STEP = 500;

export const digestOf = (session: string): Buffer => hash("sha256", session, "buffer").subarray(0, 16);

/** A dialogue that was said in a call. */
export interface SpokenRecord {
  record: number;
  item: number;
  id: string;
  at: number;
  block: number | null;
}

/**
Which call of a session a dialogue was said in.

A call is known by its session, start and end. The rows are made when the first dialogues are read; from then on, each
commit of a call keeps them. That of a deleted call stays, so that its dialogues are dropped when they come again.
*/
export const sessions = (db: Db, assertLocked: () => void, store: Store, sessionOf: SessionOf) => {
  const isEnabled = db.prepare(`select exists (select 1 from facts where name = '${ENABLED}') as has`);
  const insert = db.prepare(
    `insert into call_sessions (session, item, started_at, ended_at) values (?, ?, ?, ?)
     on conflict (session, item) do update set started_at = excluded.started_at, ended_at = excluded.ended_at`,
  );
  // Of calls that overlap, the one that began last; never the one that came first. One that is only near comes after them.
  const find = db.prepare(
    `select c.item, i.state from call_sessions c cross join items i on i.item = c.item
     where c.session = ?1 and c.started_at <= ?2 + ${NEAR_MS} and c.ended_at >= ?2 - ${NEAR_MS}
     order by max(c.started_at - ?2, ?2 - c.ended_at, 0), c.started_at desc, i.key limit 1`,
  );
  const itemsOfSession = db.prepare(
    `select item from call_sessions where session = ?
     union select item from items where key = ?`,
  );
  const spokenOf = db.prepare(
    "select record, item, id, at, block from records where item = ? and source = 'dialogues' and in_call = 1",
  );
  const described = db.prepare(
    `select item, block from items where item > ? and block is not null and source = 'calls' and said is not null
     order by item limit ${STEP}`,
  );
  const findListed = db.prepare("select listed_at as at from listed_sessions where session = ?");
  const setListed = db.prepare(
    `insert into listed_sessions (session, listed_at) values (?, ?)
     on conflict (session) do update set listed_at = max(listed_at, excluded.listed_at)`,
  );
  const enabled = (): boolean => (isEnabled.get() as { has: number }).has === 1;
  const add = (item: number, { sessionId, start, end }: CallTimes): void =>
    void insert.run(digestOf(sessionId), item, start.getTime(), end.getTime());

  const addFromMeta = (item: number, meta: JsonObject | undefined): CallTimes | undefined => {
    const times = meta && sessionOf(meta);
    if (times) add(item, times);
    return times;
  };

  const addStep = (after: number): number | undefined => {
    const rows = described.all(after) as { item: number; block: number }[];
    const blocks = new Map<number, number[]>();
    for (const { item, block } of rows) blocks.set(block, [...(blocks.get(block) ?? []), item]);
    for (const [block, items] of blocks) {
      const members = store.membersOf(block);
      for (const item of items) {
        const meta = members.get(item)?.meta;
        if (meta) addFromMeta(item, parseMeta(meta));
      }
    }
    return rows.at(-1)?.item;
  };

  const reading: Sessions = {
    indexSessions: async () => {
      if (enabled()) return;
      transaction(db, () => {
        assertLocked();
        for (let last: number | undefined = 0; last !== undefined; ) last = addStep(last);
        db.prepare(`insert into facts (name, value) values ('${ENABLED}', '1') on conflict do nothing`).run();
      });
    },
    sessionListedAt: async (session) => {
      const row = firstRow<{ at: number }>(findListed.get([digestOf(session)]));
      return row && new Date(row.at);
    },
    setSessionListed: async (session, at) =>
      transaction(db, () => {
        assertLocked();
        setListed.run(digestOf(session), at.getTime());
      }),
  };
  return {
    reading,
    /** Keeps the times of a call that is committed. Undefined if they are not known, or no dialogues are stored yet. */
    keep: (item: number, meta: JsonObject | undefined): CallTimes | undefined =>
      enabled() ? addFromMeta(item, meta) : undefined,
    /** Also where no dialogues are stored yet: for a call whose content is being deleted. */
    keepForgotten: addFromMeta,
    /** The call of a session that was running at this time, or nearly. */
    callAt: (session: string, at: number): { item: number; state: string } | undefined =>
      firstRow<{ item: number; state: string }>(find.get(digestOf(session), at)),
    /** The dialogues that were said in calls of a session, in whichever conversation they are now. */
    spokenIn: (session: string): SpokenRecord[] => {
      const key = keyOf({ source: "dialogues", id: session });
      const items = itemsOfSession.all(digestOf(session), key) as { item: number }[];
      return items.flatMap(({ item }) => spokenOf.all(item) as SpokenRecord[]);
    },
  };
};

export type SessionIndex = ReturnType<typeof sessions>;
