import type { RunRecord, Runs } from "../core/archive.ts";
import type { Db } from "./open.ts";
import { countStates, one } from "./rows.ts";

/** How many runs are shown. */
const SHOWN = 10;

/** What was run, and how far it got. */
export const runs = (db: Db): Runs => ({
  beginRun: async ({ command, version, startedAt, detail }) =>
    Number(
      db
        .prepare("insert into runs (command, version, started_at, detail) values (?, ?, ?, ?)")
        .run(command, version, startedAt, JSON.stringify(detail ?? {})).lastInsertRowid,
    ),
  endRun: async (run, { endedAt, exitCode, detail }) => {
    db.prepare("update runs set ended_at = ?, exit_code = ?, detail = ? where run = ?").run(
      endedAt,
      exitCode,
      JSON.stringify(detail),
      run,
    );
  },
  cursor: async (name) => {
    const row = one<{ settled_until: string }>(
      db.prepare("select settled_until from cursors where name = ?").get(name),
    );
    return row && new Date(row.settled_until);
  },
  moveCursor: async (name, to) => {
    db.prepare(
      `insert into cursors (name, settled_until) values (?, ?)
       on conflict (name) do update set settled_until = max(settled_until, excluded.settled_until)`,
    ).run(name, to.toISOString());
  },
  lastRuns: async () => (db.prepare("select * from runs order by run desc limit ?").all(SHOWN) as RunRow[]).map(runOf),
  summary: async () => {
    const agents = db
      .prepare(
        `select a.*, c.settled_until as cursor from (
           select agent_id, count(*) as calls, min(started_at) as first, max(started_at) as last
           from items where agent_id is not null group by agent_id) a
         left join (select substr(name || '#', 1, instr(name || '#', '#') - 1) as agent_id, min(settled_until) as settled_until
             from cursors group by 1) c on c.agent_id = a.agent_id order by a.agent_id`,
      )
      .all() as { agent_id: string; calls: number; first: string | null; last: string | null; cursor: string | null }[];
    const raw = db.prepare("select coalesce(sum(bytes), 0) as n from items where state <> 'pruned'").get() as {
      n: number;
    };
    const stored = db
      .prepare("select coalesce(sum(length(body) + coalesce(length(meta), 0)), 0) as n from documents")
      .get();
    return {
      counts: countStates(db, "select state, count(*) as n from items group by state"),
      agents: agents.map(({ agent_id, calls, first, last, cursor }) => ({
        agentId: agent_id,
        calls,
        ...(first && { first }),
        ...(last && { last }),
        ...(cursor && { cursor }),
      })),
      rawBytes: raw.n,
      storedBytes: (stored as { n: number }).n,
    };
  },
});

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
