import type { State } from "../core/state.ts";
import { jsonColumns } from "./columns.ts";
import type { Db } from "./open.ts";

/** An item with its current state. */
export interface CurrentRow {
  item: number;
  state: State;
  key: string;
  named: number;
  instance_id: string | null;
  link: string | null;
  agent: number | null;
  window_start: number | null;
  window_end: number | null;
  seen_at: number;
  attempts: number;
  described: number;
  block: number | null;
  /** Of a call with records besides its log. */
  last_at: number | null;
  error_code: string | null;
  /** 1 when it is in trouble that a person has acknowledged. */
  acknowledged: number | null;
}

const EXPRESSIONS = {
  item: "i.item",
  state: "i.state",
  key: "i.key",
  named: "i.named",
  instance_id: "i.instance_id",
  link: "i.link",
  agent: "i.agent",
  window_start: "i.window_start",
  window_end: "i.window_end",
  seen_at: "i.seen_at",
  attempts: "i.attempts",
  described: "i.described",
  block: "i.block",
  last_at: "i.last_at",
  error_code: "i.error_code",
  acknowledged: `case when i.state in ('missing', 'invalid', 'failed') then
    (select r.acknowledged from reported r where r.item = i.item) end`,
};
const COLUMNS = jsonColumns<CurrentRow>(EXPRESSIONS);
const NAMED_COLUMNS = Object.entries(EXPRESSIONS)
  .map(([name, sql]) => `${sql} as ${name}`)
  .join(", ");

const CLAIM_COLUMNS = "item, key, state, bytes, lower(hex(sha256)) as sha256, instance_id, same_id";

/** Selects items by a JSON list as one JSON text, each with its index in the list: a tenth of a query for each. */
const selectCurrent = (from: string): string =>
  `select json_group_array(json_array(n.key, ${COLUMNS.sql})) as lines
     from json_each(?) n ${from}`;

/** The ledger's statements. */
export const SQL = {
  byKeys: selectCurrent("cross join items i on i.key = n.value"),
  // In hex: JSON has no bytes.
  byLinks: selectCurrent("cross join links l on l.link = unhex(n.value) cross join items i on i.item = l.item"),
  byItems: selectCurrent("cross join items i on i.item = n.value"),
  insert: `insert into items (key, named, instance_id, link, agent, status, window_start, window_end, seen_at, state)
     select value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, 'pending'
     from json_each(?)`,
  updateListing: `update items set agent = coalesce(agent, ?), window_start = coalesce(?, window_start),
       window_end = coalesce(?, window_end) where item = ?`,
  firstLinks: `insert into links (link, item, more)
     select unhex(n.value->>0), i.item, n.value->>2 from json_each(?) n cross join items i on i.key = n.value->>1
     where true on conflict do nothing`,
  addLink: "insert into links (link, item, more) values (?, ?, 1) on conflict do nothing",
  moveLink: "update links set item = ?, more = 1 where link = ? and item = ?",
  moveMore: "update links set item = ? where item = ? and more = 1",
  // Reads all links. Only needed when a call with an id turns out to have another id, which is rare.
  moveLinks: "update links set item = ?, more = 1 where item = ?",
  currentRow: `select ${NAMED_COLUMNS} from items i where i.item = ?`,
  addSelected:
    "insert into temp.selected (item, batch) select value, ? from json_each(?) where true on conflict do nothing",
  selectedIn: `select json_group_array(s.item) as items from json_each(?) n cross join temp.selected s on s.item = n.value
     where s.batch = ?`,
  dropSelected: "delete from temp.selected where item = ?",
  findOtherWithId: "select item, state, lower(hex(sha256)) as sha256 from items where key = ? and item <> ?",
  findNameless: `select i.item from links l cross join items i on i.item = l.item
     where l.link = ? and i.item <> ? and i.named = 0 and i.same_id is null`,
  setId: "update items set key = ?, named = 1, instance_id = ? where item = ?",
  mergeColumns: `update items as known set agent = coalesce(known.agent, late.agent),
       link = coalesce(known.link, late.link), window_start = coalesce(late.window_start, known.window_start),
       window_end = coalesce(late.window_end, known.window_end)
     from items as late where late.item = ? and known.item = ?`,
  mergeReport: "update or ignore reported set item = ? where item = ?",
  deleteItem: "delete from items where item = ?",
  findByKey: `select ${CLAIM_COLUMNS} from items where key = ?`,
  findClaim: `select ${CLAIM_COLUMNS} from items where item = ?`,
  // There are almost never any.
  findLosers: `select ${CLAIM_COLUMNS} from items indexed by items_same_id where same_id is not null and state = 'invalid'
     order by item`,
  linkOwner: "select item from links where link = ?",
  // Reads all links. Only needed for call logs that share an instance id.
  lowestLink: "select min(link) as link from links where item = ? and link <> ?",
  setAside: `update items set key = ?, named = 0, instance_id = null, same_id = ?, state = 'invalid', error_code = ?,
       error_message = ?, error_request_id = null, error_status = null, error_at = ? where item = ?`,
  giveId: `update items set key = ?, named = 1, instance_id = ?, same_id = null, state = 'fetched', error_code = null,
       error_message = null, error_request_id = null, error_status = null, error_at = null where item = ?`,
  settle: `update items set state = ?, key = coalesce(?, key), named = max(named, ?),
       instance_id = case when ? = 1 then ? else instance_id end, status = coalesce(?, status),
       described = max(described, ?), started_at = coalesce(?, started_at), sha256 = coalesce(?, sha256),
       bytes = coalesce(?, bytes), attempts = attempts + ?, error_code = ?, error_message = ?,
       error_request_id = ?, error_status = ?, error_at = ?, said = ?, link = ?, same_id = null,
       -- The 72 hours of an unfinished call begin with its first attempt.
       seen_at = case when attempts = 0 then ? else seen_at end
     -- A stored document is never replaced by a failure.
     where item = ? and state <> 'pruned' and (state <> 'fetched' or ? = 'fetched')
       and (state <> 'invalid' or ? in ('fetched', 'invalid'))`,
  setMeta: "update items set said = ?, link = ? where item = ?",
  unsettled: `select distinct window_start, window_end from items
     where state <> 'fetched' and agent = (select agent from agents where agent_id = ?)
       and window_start is not null and (state = 'pending' or seen_at > ?)
       and (state in ('pending', 'open', 'failed') or (state = 'invalid' and error_code = 'NotJson'))
       and (state in ('pending', 'open') or not exists (
         select 1 from reported r where r.item = items.item and r.acknowledged = 1))`,
} as const;

interface Statement {
  run(...values: unknown[]): { changes: number };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

export type Statements = Record<keyof typeof SQL, Statement>;

/** Prepares all statements once, because preparing takes longer than running most of them. */
export const prepare = (db: Db): Statements =>
  Object.fromEntries(
    Object.entries(SQL).map(([name, sql]): [string, Statement] => [name, db.prepare(sql)]),
  ) as Statements;

/** The rows of a `selectCurrent` query, at the indexes of the requested items; undefined for unknown items. */
export const parseCurrentRows = (answer: unknown): (CurrentRow | undefined)[] => {
  const rows: (CurrentRow | undefined)[] = [];
  for (const line of JSON.parse((answer as { lines: string }).lines) as unknown[][])
    rows[line[0] as number] = COLUMNS.row(line, 1);
  return rows;
};
