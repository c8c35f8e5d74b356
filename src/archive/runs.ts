import type { RunRecord, Runs } from "../core/archive.ts";
import { type Counts, STATES, type State } from "../core/state.ts";
import { health, oldestCursors } from "./health.ts";
import { type Db, transaction } from "./open.ts";
import { hasReports, rememberReported } from "./reports.ts";
import { firstRow } from "./rows.ts";

/** How many runs `lastRuns` returns. */
const LAST_RUNS = 10;

/** The runs, and the cursors up to which calls are settled. */
export const runs = (db: Db, assertLocked: () => void, settledBefore: number): Runs => ({
  health: async (command) => health(db, command),
  beginRun: async ({ command, version, startedAt, detail }) =>
    Number(
      db
        .prepare("insert into runs (command, version, started_at, detail) values (?, ?, ?, ?)")
        .run(command, version, startedAt, JSON.stringify(detail ?? {})).lastInsertRowid,
    ),
  endRun: async (run, { endedAt, exitCode, detail, reported }) => {
    const end = (): unknown =>
      db
        .prepare("update runs set ended_at = ?, exit_code = ?, detail = ? where run = ?")
        .run(endedAt, exitCode, JSON.stringify(detail), run);
    // Usually there are no reports, and a single statement is enough.
    if (!reported || !hasReports(db)) end();
    else
      transaction(db, () => {
        assertLocked();
        end();
        rememberReported(db);
      });
  },
  cursor: async (name) => cursorOf(db, name),
  moveCursor: async (name, to) =>
    transaction(db, () => {
      assertLocked();
      // Compared as times: as texts, years after 9999 come before others.
      const before = cursorOf(db, name);
      if (before && before >= to) return;
      db.prepare(
        `insert into cursors (name, settled_until) values (?, ?)
         on conflict (name) do update set settled_until = excluded.settled_until`,
      ).run(name, to.toISOString());
    }),
  lastRuns: async () =>
    (db.prepare("select * from runs order by run desc limit ?").all(LAST_RUNS) as RunRow[]).map(runOf),
  summary: async () => {
    // Both queries read only an index.
    const agentRows = db
      .prepare(
        `select g.*, a.agent_id from (
           select agent, count(*) as calls, min(started_at) as first, max(started_at) as last
           from items indexed by items_agent group by agent) g
         left join agents a on a.agent = g.agent order by a.agent_id`,
      )
      .all() as AgentRow[];
    const cursors = oldestCursors(db);
    const unsettled = db
      .prepare(
        "select state, count(*) as n from items indexed by items_unsettled where state <> 'fetched' group by state",
      )
      .all() as { state: State; n: number }[];
    const bytes = db
      .prepare(
        "select coalesce(sum(raw), 0) as raw, coalesce(sum(stored), 0) as stored from blocks indexed by blocks_sizes",
      )
      .get() as { raw: number; stored: number };
    const { acknowledged } = db
      .prepare(
        `select count(*) as acknowledged from reported r cross join items i on i.item = r.item
         where r.acknowledged = 1 and i.state in ('missing', 'invalid', 'failed')`,
      )
      .get() as { acknowledged: number };
    const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Counts;
    counts.fetched = agentRows.reduce((sum, { calls }) => sum + calls, 0);
    for (const { state, n } of unsettled) {
      counts[state] = n;
      counts.fetched -= n;
    }
    const { n: openByTime } = db
      .prepare("select count(*) as n from items indexed by items_last where last_at > ? and state = 'fetched'")
      .get(settledBefore) as { n: number };
    counts.open += openByTime;
    counts.fetched -= openByTime;
    return {
      counts,
      acknowledged,
      agents: agentRows.flatMap(({ agent_id, calls, first, last }) => {
        if (agent_id === null) return [];
        const cursor = cursors.get(agent_id);
        return {
          agentId: agent_id,
          calls,
          ...(first !== null && { first: new Date(first).toISOString() }),
          ...(last !== null && { last: new Date(last).toISOString() }),
          ...(cursor !== undefined && { cursor }),
        };
      }),
      rawBytes: bytes.raw,
      storedBytes: bytes.stored,
    };
  },
});

const cursorOf = (db: Db, name: string): Date | undefined => {
  const row = firstRow<{ settled_until: string }>(
    db.prepare("select settled_until from cursors where name = ?").get(name),
  );
  return row && new Date(row.settled_until);
};

interface AgentRow {
  agent_id: string | null;
  calls: number;
  first: number | null;
  last: number | null;
}

interface RunRow {
  run: number;
  command: string;
  version: string;
  started_at: string;
  ended_at: string | null;
  exit_code: number | null;
  detail: string | null;
}

const runOf = (row: RunRow): RunRecord => ({
  run: row.run,
  command: row.command,
  version: row.version,
  startedAt: row.started_at,
  ...(row.ended_at !== null && { endedAt: row.ended_at }),
  ...(row.exit_code !== null && { exitCode: row.exit_code }),
  ...(row.detail !== null && { detail: JSON.parse(row.detail) }),
});
