import type { SourceSummary, Summary } from "../core/archive.ts";
import { type Counts, STATES, type State } from "../core/state.ts";
import type { SourceName } from "../core/transcript.ts";
import { oldestCursors } from "./health.ts";
import type { Db } from "./open.ts";
import { firstRow, shownState, sourcesOf } from "./rows.ts";

/** Sums up an archive, or its conversations of some sources. */
export const summaryOf = (db: Db, settledBefore: number, wanted: readonly SourceName[] | undefined): Summary => {
  const stored = summariesBySource(db, settledBefore);
  const sources = wanted ? stored.filter(({ source }) => wanted.includes(source)) : stored;
  // Without a condition on sources, the queries below read only indexes.
  const only = sources.length < stored.length ? sources.map(({ source }) => source) : undefined;
  const cursors = oldestCursors(db);
  const bytes = db
    .prepare(
      "select coalesce(sum(raw), 0) as raw, coalesce(sum(stored), 0) as stored from blocks indexed by blocks_sizes",
    )
    .get() as { raw: number; stored: number };
  return {
    counts: sumOfCounts(sources.map(({ counts }) => counts)),
    sources: sources.map((each) => ({ ...each, ...cursorOf(each.source, cursors) })),
    acknowledged: countAcknowledged(db, only),
    agents: agentRows(db, only).flatMap(({ agent_id, calls, first, last }) => {
      if (agent_id === null) return [];
      const cursor = cursors.get(agent_id);
      return { agentId: agent_id, calls, ...timesOf(first, last), ...(cursor !== undefined && { cursor }) };
    }),
    rawBytes: bytes.raw,
    storedBytes: bytes.stored,
  };
};

/** The oldest cursor of a source. Their names begin with that of the source: there is one for each bus, say. */
const cursorOf = (source: SourceName, cursors: ReadonlyMap<string, string>): Pick<SourceSummary, "cursor"> => {
  if (source === "calls") return {};
  const [cursor] = [...cursors]
    .flatMap(([name, until]) => (`${name}:`.startsWith(`${source}:`) ? [until] : []))
    .toSorted();
  return cursor === undefined ? {} : { cursor };
};

/** Each source that has conversations, calls first. Calls are counted as what the other sources leave of all. */
const summariesBySource = (db: Db, settledBefore: number): SourceSummary[] => {
  const others = sourcesOf(db)
    .filter((source) => source !== "calls")
    .map((source) => otherSource(db, settledBefore, source));
  const counts = countAll(db, settledBefore);
  for (const other of others) for (const state of STATES) counts[state] -= other.counts[state];
  const calls = { source: "calls" as const, counts, ...timesOf(startOfCalls(db, "asc"), startOfCalls(db, "desc")) };
  return [...(STATES.some((state) => counts[state] > 0) ? [calls] : []), ...others];
};

const otherSource = (db: Db, settledBefore: number, source: SourceName): SourceSummary => {
  const rows = db
    .prepare(
      `select ${shownState(settledBefore)} as shown, count(*) as n, min(i.started_at) as first, max(i.started_at) as last
       from items i indexed by items_source where i.source = ? and i.source <> 'calls' group by 1`,
    )
    .all(source) as { shown: State; n: number; first: number | null; last: number | null }[];
  const counts = sumOfCounts([Object.fromEntries(rows.map(({ shown, n }) => [shown, n]))]);
  const starts = rows.flatMap(({ first, last }) => (first === null || last === null ? [] : [first, last]));
  return { source, counts, ...(starts.length > 0 && timesOf(Math.min(...starts), Math.max(...starts))) };
};

/** Counts all conversations by state. Each query reads only an index. */
const countAll = (db: Db, settledBefore: number): Counts => {
  const { n: all } = db.prepare("select count(*) as n from items indexed by items_agent").get() as { n: number };
  const unsettled = db
    .prepare(
      "select state, count(*) as n from items indexed by items_unsettled where state <> 'fetched' group by state",
    )
    .all() as { state: State; n: number }[];
  const counts = sumOfCounts([Object.fromEntries(unsettled.map(({ state, n }) => [state, n]))]);
  counts.fetched = all - unsettled.reduce((sum, { n }) => sum + n, 0);
  // Conversations with records are shown by the time of the last one.
  const byTime = db
    .prepare(
      `select state, last_at > ? as open, count(*) as n from items indexed by items_last
       where last_at is not null and state <> 'pruned' group by 1, 2`,
    )
    .all(settledBefore) as { state: State; open: number; n: number }[];
  for (const { state, open, n } of byTime) {
    counts[state] -= n;
    counts[open === 1 ? "open" : "fetched"] += n;
  }
  return counts;
};

const startOfCalls = (db: Db, direction: "asc" | "desc"): number | null =>
  firstRow<{ start: number }>(
    db
      .prepare(
        `select started_at as start from items indexed by items_order
         where started_at is not null and source = 'calls' order by started_at ${direction} limit 1`,
      )
      .get(),
  )?.start ?? null;

interface AgentRow {
  agent_id: string | null;
  calls: number;
  first: number | null;
  last: number | null;
}

/** The conversations of each agent. */
const agentRows = (db: Db, only: readonly SourceName[] | undefined): AgentRow[] => {
  // SQLite cannot use an index for a list without values.
  if (only?.length === 0) return [];
  // The index of the other sources is partial, and small where most conversations are calls.
  const isWithoutCalls = only?.includes("calls") === false;
  const items = isWithoutCalls
    ? `items i indexed by items_source where i.source <> 'calls' and ${isOneOf(only)}`
    : `items i indexed by items_agent where ${isOneOf(only)}`;
  return db
    .prepare(
      `select g.*, a.agent_id from (
         select i.agent, count(*) as calls, min(i.started_at) as first, max(i.started_at) as last
         from ${items} group by agent) g
       left join agents a on a.agent = g.agent order by a.agent_id`,
    )
    .all(...(only ?? [])) as AgentRow[];
};

const countAcknowledged = (db: Db, only: readonly SourceName[] | undefined): number => {
  const { n } = db
    .prepare(
      `select count(*) as n from reported r cross join items i on i.item = r.item
       where r.acknowledged = 1 and i.state in ('missing', 'invalid', 'failed') and ${isOneOf(only)}`,
    )
    .get(...(only ?? [])) as { n: number };
  return n;
};

/** SQL: whether an item `i` is of one of these sources. */
const isOneOf = (sources: readonly SourceName[] | undefined): string =>
  sources ? `i.source in (${sources.map(() => "?").join(", ")})` : "true";

const sumOfCounts = (all: readonly Partial<Counts>[]): Counts =>
  Object.fromEntries(STATES.map((state) => [state, all.reduce((sum, { [state]: n = 0 }) => sum + n, 0)])) as Counts;

const timesOf = (first: number | null, last: number | null): Pick<SourceSummary, "first" | "last"> => ({
  ...(first !== null && { first: new Date(first).toISOString() }),
  ...(last !== null && { last: new Date(last).toISOString() }),
});
