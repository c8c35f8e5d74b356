import type { AtRisk, Health } from "../core/health.ts";
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

/** What waits to be fetched. Reads unsettled calls and files, never all. */
export const atRisk = (db: Db): AtRisk[] => {
  const logs = db
    .prepare(
      `select count(*) as n, min(coalesce(started_at, window_start, seen_at)) as oldest
       from items indexed by items_unsettled
       where state <> 'fetched' and state in ('pending', 'open', 'failed') and source = 'calls' and not exists (
         select 1 from reported r where r.item = items.item and r.acknowledged = 1)`,
    )
    .get() as Waiting;
  const media = (kinds: string): Waiting =>
    db
      .prepare(
        `select count(*) as n, min(at) as oldest from media indexed by media_unsettled
         where state <> 'stored' and state = 'pending' and kind in (${kinds})`,
      )
      .get() as Waiting;
  const found = [
    { what: "call-logs", ...logs },
    { what: "audio", ...media("'sentence', 'call-audio'") },
    { what: "recordings", ...media("'recording', 'segment'") },
  ] as const;
  return found.flatMap(({ what, n, oldest }) =>
    n > 0 ? [{ what, count: n, ...(oldest !== null && { oldest: new Date(oldest) }) }] : [],
  );
};

interface Waiting {
  n: number;
  oldest: number | null;
}

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
