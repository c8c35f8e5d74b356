import type { RunRecord, Runs } from "../core/archive.ts";
import { atRisk, health } from "./health.ts";
import { type Db, transaction } from "./open.ts";
import { hasReports, rememberReported } from "./reports.ts";
import { firstRow } from "./rows.ts";
import { summaryOf } from "./summary.ts";

/** How many runs `lastRuns` returns. */
const LAST_RUNS = 10;

/** The runs, and the cursors up to which calls are settled. */
export const runs = (db: Db, assertLocked: () => void, settledBefore: number): Runs => ({
  health: async (command) => health(db, command),
  atRisk: async () => atRisk(db),
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
  summary: async (sources) => summaryOf(db, settledBefore, sources),
});

const cursorOf = (db: Db, name: string): Date | undefined => {
  const row = firstRow<{ settled_until: string }>(
    db.prepare("select settled_until from cursors where name = ?").get(name),
  );
  return row && new Date(row.settled_until);
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
