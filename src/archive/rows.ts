import { keyOf, keysOf } from "../core/conversation-id.ts";
import { UsageError } from "../core/errors.ts";
import type { StoredConversation, StoredFilter } from "../core/records.ts";
import { linkDigestOf } from "../core/stand-in.ts";
import type { State } from "../core/state.ts";
import type { SourceName } from "../core/transcript.ts";
import { jsonColumns } from "./columns.ts";
import type { Db } from "./open.ts";

/** A row of `items`. */
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
  /** Of a call's records besides its log. */
  further: number | null;
  block: number | null;
  /** Of a conversation with records besides a call log. */
  last_at: number | null;
  attempts: number;
  /** The fields of an error as one value, because most items have none. */
  error: [string, string | null, string | null, string | null, number | null, "known" | "acknowledged" | null] | null;
}

const COLUMNS = jsonColumns<ItemRow>({
  item: "i.item",
  source: "i.source",
  key: "i.key",
  instance_id: "i.instance_id",
  link: "i.link",
  agent: "i.agent",
  state: "i.state",
  status: "i.status",
  started_at: "i.started_at",
  sha256: "lower(hex(i.sha256))",
  bytes: "i.bytes",
  said: "i.said",
  further: "i.further",
  block: "i.block",
  last_at: "i.last_at",
  attempts: "i.attempts",
  error: `case when i.error_code is not null then
    json_array(i.error_code, i.error_message, i.error_at, i.error_request_id, i.error_status,
      (select case when r.acknowledged = 1 then 'acknowledged'
                   when r.state = i.state and r.code is i.error_code then 'known' end
       from reported r where r.item = i.item)) end`,
});

/**
A query over `items i` whose rows come as one JSON text, which takes half the time of single values.

`query` begins with its FROM. It must end with a limit, or SQLite drops its order.
*/
export const selectAsJson = (query: string): string =>
  `select json_group_array(json(line)) as lines from (select json_array(${COLUMNS.sql}) as line ${query})`;

/** The rows of a `selectAsJson` query. */
export const parseRows = (answer: unknown): ItemRow[] =>
  (JSON.parse((answer as { lines: string }).lines) as unknown[][]).map((line) => COLUMNS.row(line));

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
export const recordOf = (row: ItemRow, { id: agentId }: Agents, shownStateOf: (row: ItemRow) => State) => {
  const record: StoredConversation = {
    item: row.item,
    source: row.source as SourceName,
    state: shownStateOf(row),
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

const errorOf = ([code, message, at, requestId, status]: NonNullable<
  ItemRow["error"]
>): StoredConversation["error"] => ({
  code,
  message: message ?? "",
  at: at ?? "",
  ...(requestId !== null && { requestId }),
  ...(status !== null && { status }),
});

/** The states of call logs, as the ledger has them. */
export const stateOfLog = ({ state }: ItemRow): State => state as State;

/**
The state of a conversation as the archive shows it. One with records besides a call log is open until some time after its
last record, and has a transcript then: also while its call log is not there.
*/
export const stateShown =
  (settledBefore: number) =>
  ({ state, last_at: last }: ItemRow): State =>
    last === null || state === "pruned" ? (state as State) : last > settledBefore ? "open" : "fetched";

/** SQL: the same for an item `i`. */
export const shownState = (settledBefore: number): string =>
  `case when i.last_at is null or i.state = 'pruned' then i.state
        when i.last_at > ${settledBefore} then 'open' else 'fetched' end`;

/** SQL: whether it is `fetched`. */
export const hasTranscript = (settledBefore: number): string =>
  `case when i.last_at is null then i.state = 'fetched' else i.last_at <= ${settledBefore} and i.state <> 'pruned' end`;

/** The sources that the archive has conversations of. */
export const sourcesOf = (db: Db): SourceName[] => {
  // From one source to the next, because `distinct` would read every item that is not a call.
  const next = "select min(source) from items indexed by items_source where source <> 'calls'";
  const others = db
    .prepare(
      `with recursive s (source) as (${next} union all select (${next} and items.source > s.source) from s where source is not null)
       select source from s where source is not null`,
    )
    .all() as { source: SourceName }[];
  return ["calls", ...others.map(({ source }) => source)];
};

/**
The SQL condition that finds a conversation in `items i` by its id, with or without its source.

A stand-in id is found by its link, so it still finds the call after its instance id became known.

@param wanted only conversations of these sources are meant. @default all
@throws UsageError for a qualified id of a source that is not wanted
*/
export const conditionForId = (db: Db, id: string, wanted?: readonly SourceName[]): Terms => {
  const link = wanted?.includes("calls") === false ? undefined : linkDigestOf(id);
  // In hex, because libsql takes a single buffer for named values.
  if (link)
    return { terms: ["i.item = (select item from links where link = unhex(?))"], values: [link.toString("hex")] };
  const keys = keysOf(id, sourcesOf(db), wanted);
  return { terms: [`i.key in (${keys.map(() => "?").join(", ")})`], values: keys };
};

/** @throws UsageError when an id means conversations of several sources */
export const checkUnambiguous = (id: string, found: readonly Pick<ItemRow, "key">[]): void => {
  if (found.length > 1)
    throw new UsageError(
      `${id} is the id of several conversations. Write one of: ${found.map(({ key }) => (key.includes(":") ? key : `calls:${key}`)).join(", ")}.`,
    );
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
export const conditionsOf = (
  db: Db,
  filter: StoredFilter,
  settledBefore: number,
): Record<"started" | "unstarted", Terms> => {
  const { sources, agents: ids, since, until, states, id } = filter;
  const both: Terms = { terms: [], values: [] };
  const oneOf = (column: string, values: readonly string[]): void => {
    both.terms.push(column.replace("?", values.map(() => "?").join(", ")));
    both.values.push(...values);
  };
  // For one agent, its index also gives the order.
  if (ids?.length === 1) oneOf("i.agent = (select agent from agents where agent_id = ?)", ids);
  else if (ids && ids.length > 1) oneOf("i.agent in (select agent from agents where agent_id in (?))", ids);
  if (sources) oneOf("i.source in (?)", sources);
  // As the partial index of the other sources has it, so that SQLite can use that index.
  if (isWithoutCalls(filter)) both.terms.push("i.source <> 'calls'");
  if (states) {
    if (hasRecords(db)) oneOf(`${shownState(settledBefore)} in (?)`, states);
    else oneOf("i.state in (?)", states);
    if (isUnsettled(db, states)) both.terms.push("i.state <> 'fetched'");
  }
  if (id !== undefined) {
    const { terms, values } = conditionForId(db, id, sources);
    both.terms.push(...terms);
    both.values.push(...values);
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

/** Whether there are conversations with records besides a call log. */
export const hasRecords = (db: Db): boolean =>
  (db.prepare("select exists (select 1 from records) as has").get() as { has: number }).has === 1;

/** Whether these states are exactly in the partial index of unsettled items, so that SQLite can use it. */
export const isUnsettled = (db: Db, states: readonly State[]): boolean =>
  !states.includes("fetched") && !(states.includes("open") && hasRecords(db));

/** Whether a filter is for sources other than calls. */
export const isWithoutCalls = ({ sources }: StoredFilter): boolean => sources?.includes("calls") === false;

/** Whether no item can meet a filter: a list of agents, sources or states is empty. */
export const matchesNothing = ({ agents: ids, sources, states }: StoredFilter): boolean =>
  [ids, sources, states].some((wanted) => wanted?.length === 0);

/** Inserts the items that match a filter. `into` is the beginning of the insert. Returns the number of new rows. */
export const insertStored = (db: Db, into: string, filter: StoredFilter, settledBefore: number): number => {
  if (matchesNothing(filter)) return 0;
  const { started, unstarted } = conditionsOf(db, filter, settledBefore);
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

/** The key of a call. */
export const callKey = (id: string): string => keyOf({ source: "calls", id });

/** The call's id as it is written, or null when it is the same as its key. */
export const spellingOf = (id: string): string | null => (id === callKey(id) ? null : id);

export const throwMissingItem = (): never => {
  throw new Error("Internal error: the archive has no item for a selected call.");
};
