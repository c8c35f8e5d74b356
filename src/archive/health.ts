import type { Health } from "../core/health.ts";
import type { Db } from "./open.ts";
import { firstRow } from "./rows.ts";

/** The suffix of a shard's cursor, after the agent's id. */
const SHARD = /#\d+\/\d+$/;

/** The oldest cursor of each agent, over its shards: ISO 8601 UTC. */
export const oldestCursors = (db: Db): ReadonlyMap<string, string> => {
  const named = db.prepare("select name, settled_until as until from cursors order by name").all() as {
    name: string;
    until: string;
  }[];
  const cursors = new Map<string, string>();
  for (const { name, until } of named) {
    const agentId = name.replace(SHARD, "");
    const other = cursors.get(agentId);
    if (other === undefined || Date.parse(until) < Date.parse(other)) cursors.set(agentId, until);
  }
  return cursors;
};

/** How far the archive is behind. Reads cursors, runs and open items, never all items. */
export const health = (db: Db, command: string): Health => {
  const open = firstRow<{ since: number | null }>(
    db
      .prepare(
        `select min(coalesce(started_at, window_start, seen_at)) as since
         from items indexed by items_unsettled where state = 'open' and state <> 'fetched'`,
      )
      .get(),
  );
  const success = firstRow<{ at: string | null }>(
    db.prepare("select max(ended_at) as at from runs where command = ? and exit_code = 0").get(command),
  );
  return {
    cursors: [...oldestCursors(db)].map(([agentId, settledUntil]) => ({ agentId, settledUntil })),
    ...(open?.since != null && { openSince: new Date(open.since) }),
    ...(success?.at != null && { lastSuccess: new Date(success.at) }),
  };
};
