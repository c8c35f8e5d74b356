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

/** What it takes to make a record of `items i`; what is said of an error is one value, because most have none. */
const COLUMNS = `i.item, i.source, i.key, i.instance_id, i.link, i.agent, i.state, i.status, i.started_at,
  lower(hex(i.sha256)), i.bytes, i.said, i.block, i.attempts,
  case when i.error_code is not null then
    json_array(i.error_code, i.error_message, i.error_at, i.error_request_id, i.error_status,
      (select case when r.acknowledged = 1 then 'acknowledged'
                   when r.state = i.state and r.code is i.error_code then 'known' end
       from reported r where r.item = i.item)) end`;

/**
The rows of a query over `items i`, given from its FROM on, as one text of JSON: it takes half the time of a value at a
time. The query has to end in a limit, or its order would be lost.
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

/** What a query of `inJson` gave. */
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

/** libsql types rows as unknown; the shape is the statement's own. */
export const firstRow = <T>(row: unknown): T | undefined => (row === null ? undefined : (row as T | undefined));

/** Agents are many calls' and few: each has a number. */
export interface Agents {
  /** Gives an agent that is new its number. */
  number(agentId: string): number;
  id(agent: number): string;
}

export const agents = (db: Db): Agents => {
  const byId = db.prepare("select agent from agents where agent_id = ?");
  const byNumber = db.prepare("select agent_id from agents where agent = ?");
  const add = db.prepare("insert into agents (agent_id) values (?) on conflict do nothing");
  // Only numbers are remembered: those that were given may be taken back with the transaction.
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

/** The record of a row, but for what is in its block: an empty link stands for the one that the service named. */
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
The condition for one call of `items i`.

A stand-in id goes by its link: it still leads to the call after the call's own id became known.
*/
export const conditionForId = (id: string): { term: string; value: string } => {
  const link = linkDigestOf(id);
  // In hex: a lone buffer would be taken for named values.
  return link
    ? { term: "i.item = (select item from links where link = unhex(?))", value: link.toString("hex") }
    : { term: "i.key = ?", value: id.toLowerCase() };
};

/** A condition over `items i`, and its values in order. */
export interface Terms {
  terms: string[];
  values: unknown[];
}

/**
The conditions of a filter but its limit, apart for the calls that have a start and those that have none: the second come
after the first, and each kind has an index in its order.

What has no start was at least listed in a stretch of time.
*/
export const conditionsOf = (filter: StoredFilter): Record<"started" | "unstarted", Terms> => {
  const { agents: ids, since, until, states, id } = filter;
  const both: Terms = { terms: [], values: [] };
  const oneOf = (column: string, values: readonly string[]): void => {
    both.terms.push(column.replace("?", values.map(() => "?").join(", ")));
    both.values.push(...values);
  };
  // With one agent its index gives the order too.
  if (ids?.length === 1) oneOf("i.agent = (select agent from agents where agent_id = ?)", ids);
  else if (ids && ids.length > 1) oneOf("i.agent in (select agent from agents where agent_id in (?))", ids);
  if (states) {
    oneOf("i.state in (?)", states);
    // Said in the words of the index.
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

/** Runs `into` for all that fits a filter; resolves to how many rows that changed. `into` begins an insert. */
export const insertStored = (db: Db, into: string, filter: StoredFilter): number => {
  const { started, unstarted } = conditionsOf(filter);
  let rest = filter.limit ?? Number.POSITIVE_INFINITY;
  let changed = 0;
  for (const [{ terms, values }, order] of [
    [started, "i.started_at, i.key"],
    [unstarted, "i.key"],
  ] as const) {
    // In no order where none is asked for: nothing has to be sorted then.
    const end = Number.isFinite(rest) ? `order by ${order} limit ${Number(rest)}` : "";
    const { changes } = db
      .prepare(`${into} select i.item from items i where ${terms.join(" and ")} ${end} on conflict do nothing`)
      .run(...values);
    changed += changes;
    rest -= changes;
  }
  return changed;
};

/** The id as it is written, where that is not its key. */
export const spellingOf = (id: string): string | null => (id === id.toLowerCase() ? null : id);

export const throwMissingItem = (): never => {
  throw new Error("The archive gave no item for a reference.");
};
