import type { StoredFilter, StoredRecord } from "../core/records.ts";
import { linkDigestOf } from "../core/stand-in.ts";
import type { State } from "../core/state.ts";
import type { SourceName } from "../core/transcript.ts";
import type { Db } from "./open.ts";

/** A row of `items`, as `inJson` reads it. */
export interface ItemRow {
  item: number;
  source: string;
  key: string;
  instance_id: string | null;
  link: string | null;
  agent: number | null;
  state: string;
  status: string | null;
  started_at: number | null;
  sha256: string | null;
  bytes: number | null;
  said: number | null;
  block: number | null;
  attempts: number;
  error: [string, string | null, string | null, string | null, number | null, "known" | "acknowledged" | null] | null;
}

/** The columns of a record. The fields of an error are one JSON value, because most items have none. */
const COLUMNS = `i.item, i.source, i.key, i.instance_id, i.link, i.agent, i.state, i.status, i.started_at,
  lower(hex(i.sha256)), i.bytes, i.said, i.block, i.attempts,
  case when i.error_code is not null then
    json_array(i.error_code, i.error_message, i.error_at, i.error_request_id, i.error_status,
      (select case when r.acknowledged = 1 then 'acknowledged'
                   when r.state = i.state and r.code is i.error_code then 'known' end
       from reported r where r.item = i.item)) end`;

/**
A query over `items i` whose rows come as one JSON text, which takes half the time of single values.

`query` begins with its FROM. It must end with a limit, or SQLite drops its order.
*/
export const selectAsJson = (query: string): string =>
  `select json_group_array(json(line)) as lines from (select json_array(${COLUMNS}) as line ${query})`;

type Fields = { [K in keyof ItemRow]: ItemRow[K] };
type Line = [
  Fields["item"],
  Fields["source"],
  Fields["key"],
  Fields["instance_id"],
  Fields["link"],
  Fields["agent"],
  Fields["state"],
  Fields["status"],
  Fields["started_at"],
  Fields["sha256"],
  Fields["bytes"],
  Fields["said"],
  Fields["block"],
  Fields["attempts"],
  Fields["error"],
];

/** The rows of a `selectAsJson` query. */
export const parseRows = (answer: unknown): ItemRow[] =>
  (JSON.parse((answer as { lines: string }).lines) as Line[]).map((line) => ({
    item: line[0],
    source: line[1],
    key: line[2],
    instance_id: line[3],
    link: line[4],
    agent: line[5],
    state: line[6],
    status: line[7],
    started_at: line[8],
    sha256: line[9],
    bytes: line[10],
    said: line[11],
    block: line[12],
    attempts: line[13],
    error: line[14],
  }));

/** A row, or undefined when there is none. libsql types rows as unknown; the caller knows the columns. */
export const firstRow = <T>(row: unknown): T | undefined => (row === null ? undefined : (row as T | undefined));

/** The numbers of agents: items refer to them, because an agent id is long and in many calls. */
export interface Agents {
  /** The number of an agent; a new agent gets one. */
  number(agentId: string): number;
  id(agent: number): string;
}

export const agents = (db: Db): Agents => {
  const byId = db.prepare("select agent from agents where agent_id = ?");
  const byNumber = db.prepare("select agent_id from agents where agent = ?");
  const add = db.prepare("insert into agents (agent_id) values (?) on conflict do nothing");
  // Only ids are cached: a rollback may take back a new number.
  const ids = new Map<number, string>();
  return {
    number: (agentId) => {
      add.run(agentId);
      return (byId.get(agentId) as { agent: number }).agent;
    },
    id: (agent) => {
      const id = ids.get(agent) ?? (byNumber.get(agent) as { agent_id: string }).agent_id;
      ids.set(agent, id);
      return id;
    },
  };
};

/** The record of a row without the data of its block. An empty link means `CallLogUrl` of the metadata. */
export const recordOf = (row: ItemRow, { id: agentId }: Agents): StoredRecord => {
  const record: StoredRecord = {
    item: row.item,
    source: row.source as SourceName,
    state: row.state as State,
    id: row.instance_id ?? row.key,
    attempts: row.attempts,
  };
  if (row.agent !== null) record.agentId = agentId(row.agent);
  if (row.link !== null) record.link = row.link;
  if (row.status !== null) record.status = row.status;
  if (row.started_at !== null) record.startedAt = new Date(row.started_at).toISOString();
  const error = row.error && errorOf(row.error);
  if (error) record.error = error;
  const reportState = row.error?.[5];
  if (reportState) record[reportState] = true;
  return record;
};

const errorOf = ([code, message, at, requestId, status]: NonNullable<ItemRow["error"]>): StoredRecord["error"] => ({
  code,
  message: message ?? "",
  at: at ?? "",
  ...(requestId !== null && { requestId }),
  ...(status !== null && { status }),
});

/**
The SQL condition that finds one call in `items i` by its id.

A stand-in id is found by its link, so it still finds the call after its instance id became known.
*/
export const conditionForId = (id: string): { term: string; value: string } => {
  const link = linkDigestOf(id);
  // In hex, because libsql takes a single buffer for named values.
  return link
    ? { term: "i.item = (select item from links where link = unhex(?))", value: link.toString("hex") }
    : { term: "i.key = ?", value: id.toLowerCase() };
};

/** SQL conditions on `items i`, and their values in order. */
export interface Terms {
  terms: string[];
  values: unknown[];
}

/**
The conditions of a filter without its limit: for calls with a start, and for calls without one. Calls without a start
are sorted last, and each kind has its own index.

For calls without a start, the time when they were listed counts.
*/
export const conditionsOf = (filter: StoredFilter): Record<"started" | "unstarted", Terms> => {
  const { agents: ids, since, until, states, id } = filter;
  const both: Terms = { terms: [], values: [] };
  const oneOf = (column: string, values: readonly string[]): void => {
    both.terms.push(column.replace("?", values.map(() => "?").join(", ")));
    both.values.push(...values);
  };
  // For one agent, its index also gives the order.
  if (ids?.length === 1) oneOf("i.agent = (select agent from agents where agent_id = ?)", ids);
  else if (ids && ids.length > 1) oneOf("i.agent in (select agent from agents where agent_id in (?))", ids);
  if (states) {
    oneOf("i.state in (?)", states);
    // Exactly the condition of the partial index, so that SQLite can use it.
    if (!states.includes("fetched")) both.terms.push("i.state <> 'fetched'");
  }
  if (id !== undefined) {
    const { term, value } = conditionForId(id);
    both.terms.push(term);
    both.values.push(value);
  }
  const within = (column: string): Terms => ({
    terms: [...(since ? [`${column} >= ?`] : []), ...(until ? [`${column} < ?`] : [])],
    values: [since, until].flatMap((time) => time?.getTime() ?? []),
  });
  const [started, listed] = [within("i.started_at"), within("i.window_start")];
  return {
    started: {
      terms: ["i.started_at is not null", ...both.terms, ...started.terms],
      values: [...both.values, ...started.values],
    },
    unstarted: {
      terms: ["i.started_at is null", ...both.terms, ...listed.terms],
      values: [...both.values, ...listed.values],
    },
  };
};

/** Whether no item can meet a filter: a list of agents or states is empty. */
export const matchesNothing = ({ agents: ids, states }: StoredFilter): boolean =>
  ids?.length === 0 || states?.length === 0;

/** Inserts the items that match a filter. `into` is the beginning of the insert. Returns the number of new rows. */
export const insertStored = (db: Db, into: string, filter: StoredFilter): number => {
  if (matchesNothing(filter)) return 0;
  const { started, unstarted } = conditionsOf(filter);
  let rest = filter.limit ?? Number.POSITIVE_INFINITY;
  let changed = 0;
  for (const [{ terms, values }, order] of [
    [started, "i.started_at, i.key"],
    [unstarted, "i.key"],
  ] as const) {
    // Sorted only when there is a limit.
    const end = Number.isFinite(rest) ? `order by ${order} limit ${Number(rest)}` : "";
    const query = `select i.item from items i where ${terms.join(" and ")} ${end}`;
    changed += db.prepare(`${into} ${query} on conflict do nothing`).run(...values).changes;
    // Items that were there before count for the limit too.
    if (end !== "") rest -= (db.prepare(`select count(*) as n from (${query})`).get(...values) as { n: number }).n;
  }
  return changed;
};

/** The id as written, or null when it is the same as its key, which is in lower case. */
export const spellingOf = (id: string): string | null => (id === id.toLowerCase() ? null : id);

export const throwMissingItem = (): never => {
  throw new Error("Internal error: the archive has no item for a selected call.");
};
