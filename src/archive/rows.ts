import { createHash } from "node:crypto";
import { type Counts, STATES, type State, type StoredFilter, type StoredRecord } from "../core/archive.ts";
import type { SourceName } from "../core/transcript.ts";
import type { Db } from "./open.ts";

/** A row of `items`. */
export interface ItemRow {
  item: number;
  source: string;
  key: string;
  instance_id: string | null;
  link: string | null;
  agent_id: string | null;
  state: string;
  status: string | null;
  started_at: string | null;
  window_start: string | null;
  window_end: string | null;
  seen_at: string;
  described: number;
  sha256: string | null;
  bytes: number | null;
  attempts: number;
  error_code: string | null;
  error_message: string | null;
  error_request_id: string | null;
  error_status: number | null;
  error_at: string | null;
}

/** libsql types rows as unknown; the shape is the statement's own. */
export const one = <T>(row: unknown): T | undefined => (row === null ? undefined : (row as T | undefined));

/** The key of a call that has no id yet, or never: stable, because the link's address is. */
export const standIn = (link: string): string => `link-${createHash("sha256").update(link).digest("hex").slice(0, 32)}`;

export const recordOf = (row: ItemRow): StoredRecord => ({
  item: row.item,
  source: row.source as SourceName,
  state: row.state as State,
  id: row.instance_id ?? row.key,
  ...(row.agent_id !== null && { agentId: row.agent_id }),
  ...(row.link !== null && { link: row.link }),
  ...(row.status !== null && { status: row.status }),
  ...(row.started_at !== null && { startedAt: row.started_at }),
  attempts: row.attempts,
  ...(row.error_code !== null && {
    error: {
      code: row.error_code,
      message: row.error_message ?? "",
      at: row.error_at ?? "",
      ...(row.error_request_id !== null && { requestId: row.error_request_id }),
      ...(row.error_status !== null && { status: row.error_status }),
    },
  }),
});

/** How everything that leaves the archive is ordered: by start, what has none last. */
export const ORDER = "order by i.started_at is null, i.started_at, i.key";

/** The condition, order and limit of a filter over `items i`, with its values in order. */
export const where = (filter: StoredFilter): { clause: string; values: unknown[] } => {
  const { agents, since, until, states, id, limit } = filter;
  const terms: string[] = ["true"];
  const values: unknown[] = [];
  const oneOf = (column: string, among: readonly string[]): void => {
    terms.push(`${column} in (${among.map(() => "?").join(", ")})`);
    values.push(...among);
  };
  const term = (text: string, value: unknown): void => {
    terms.push(text);
    values.push(value);
  };
  if (agents && agents.length > 0) oneOf("i.agent_id", agents);
  // A call whose start is not known was at least listed in a stretch of time.
  if (since) term("coalesce(i.started_at, i.window_start) >= ?", since.toISOString());
  if (until) term("coalesce(i.started_at, i.window_start) < ?", until.toISOString());
  if (states) oneOf("i.state", states);
  if (id !== undefined) term("i.key = ?", id.toLowerCase());
  const end = limit === undefined ? "" : ` limit ${Number(limit)}`;
  return { clause: `where ${terms.join(" and ")} ${ORDER}${end}`, values };
};

/** Counts by state, of a query that gives `state` and `n`. */
export const countStates = (db: Db, sql: string): Counts => {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Counts;
  for (const row of db.prepare(sql).all() as { state: State; n: number }[]) counts[row.state] = row.n;
  return counts;
};
