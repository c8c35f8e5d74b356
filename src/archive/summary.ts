import type { ArchiveSummary, Counts, RunRecord } from "../core/ports.ts";
import type { Db } from "./open.ts";

export const summarise = (db: Db, tally: (sql: string) => Counts): ArchiveSummary => {
  const agents = db
    .prepare(
      `select agent_id, count(*) as calls, min(started_at) as first, max(started_at) as last
       from items where agent_id is not null group by agent_id order by agent_id`,
    )
    .all() as { agent_id: string; calls: number; first: string | null; last: string | null }[];
  const raw = db.prepare("select coalesce(sum(bytes), 0) as n from items").get() as { n: number };
  const stored = db.prepare("select coalesce(sum(length(body)), 0) as n from documents").get() as { n: number };
  const runs = db.prepare("select * from runs order by run desc limit 10").all() as RunRow[];
  return {
    counts: tally("select state, count(*) as n from items group by state"),
    agents: agents.map(({ agent_id, calls, first, last }) => ({
      agentId: agent_id,
      calls,
      ...(first && { first }),
      ...(last && { last }),
    })),
    rawBytes: raw.n,
    storedBytes: stored.n,
    runs: runs.map(runOf),
  };
};

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
