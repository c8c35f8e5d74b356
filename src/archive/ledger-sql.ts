import type { State } from "../core/archive.ts";
import type { Db } from "./open.ts";

/** An item as it stands. */
export interface CurrentRow {
  item: number;
  state: State;
  key: string;
  named: number;
  instance_id: string | null;
  link: string | null;
  agent_id: string | null;
  window_start: number | null;
  window_end: number | null;
  seen_at: number;
  attempts: number;
  described: number;
  block: number | null;
  error_code: string | null;
}

/** The ledger's statements. */
export const SQL = {
  byKey: "select item from items where key = ?",
  byLink: "select item from links where link = ?",
  insert: `insert into items (key, named, instance_id, link, agent, status, window_start, window_end, seen_at, state)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending') returning item`,
  touch: `update items set agent = coalesce(agent, ?), window_start = coalesce(?, window_start),
       window_end = coalesce(?, window_end) where item = ?`,
  firstLink: "insert into links (link, item, more) values (?, ?, ?) on conflict do nothing",
  addLink: "insert into links (link, item, more) values (?, ?, 1) on conflict do nothing",
  moveLink: "update links set item = ?, more = 1 where link = ? and item = ?",
  moveMore: "update links set item = ? where item = ? and more = 1",
  // A call with an id that turns out to have another one, which hardly ever happens: here alone all links are looked at.
  moveLinks: "update links set item = ?, more = 1 where item = ?",
  current: `select i.item, i.state, i.key, i.named, i.instance_id, i.link, a.agent_id, i.window_start, i.window_end, i.seen_at,
       i.attempts, i.described, i.block, i.error_code
     from items i left join agents a on a.agent = i.agent where i.item = ?`,
  addSelected: "insert into temp.selected (item) values (?) on conflict do nothing",
  dropSelected: "delete from temp.selected where item = ?",
  twin: "select item from items where key = ? and item <> ?",
  nameless: `select i.item from links l cross join items i on i.item = l.item
     where l.link = ? and i.item <> ? and i.named = 0`,
  name: "update items set key = ?, named = 1, instance_id = ? where item = ?",
  adopt: `update items as known set agent = coalesce(known.agent, late.agent),
       link = coalesce(known.link, late.link), window_start = coalesce(late.window_start, known.window_start),
       window_end = coalesce(late.window_end, known.window_end)
     from items as late where late.item = ? and known.item = ?`,
  remove: "delete from items where item = ?",
  settle: `update items set state = ?, key = coalesce(?, key), named = max(named, ?),
       instance_id = case when ? = 1 then ? else instance_id end, status = coalesce(?, status),
       described = max(described, ?), started_at = coalesce(?, started_at), sha256 = coalesce(?, sha256),
       bytes = coalesce(?, bytes), attempts = attempts + ?, error_code = ?, error_message = ?,
       error_request_id = ?, error_status = ?, error_at = ?,
       -- Its patience begins with the first attempt, however long it waited for that.
       seen_at = case when attempts = 0 then ? else seen_at end
     -- A good document is never given up for less.
     where item = ? and state <> 'pruned' and (state <> 'fetched' or ? = 'fetched')`,
  said: "update items set said = ?, link = ? where item = ?",
  counts: "select i.state, count(*) as n from temp.selected s cross join items i on i.item = s.item group by i.state",
  unsettled: `select distinct window_start, window_end from items
     where state <> 'fetched' and agent = (select agent from agents where agent_id = ?)
       and window_start is not null and (state = 'pending' or seen_at > ?)
       and (state in ('pending', 'open', 'failed') or (state = 'invalid' and error_code = 'NotJson'))`,
} as const;

interface Statement {
  run(...values: unknown[]): { changes: number };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

/** Prepared once: preparing costs more than most of these take. */
export const prepare = (db: Db): Record<keyof typeof SQL, Statement> =>
  Object.fromEntries(Object.entries(SQL).map(([name, sql]): [string, Statement] => [name, db.prepare(sql)])) as Record<
    keyof typeof SQL,
    Statement
  >;
