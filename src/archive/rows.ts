import { createHash } from "node:crypto";
import type { State, StoredFilter, StoredRecord } from "../core/ports.ts";
import type { SourceName } from "../core/transcript.ts";

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
  meta: string | null;
  sha256: string | null;
  bytes: number | null;
  error_code: string | null;
  error_message: string | null;
  error_request_id: string | null;
  error_status: number | null;
  error_at: string | null;
}

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
  ...(row.meta !== null && { meta: JSON.parse(row.meta) }),
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

/** How everything that leaves the archive is ordered. */
export const ORDER = "order by i.started_at, i.key";

/** The condition, order and limit of a filter over `items i`, with its values in order. */
export const where = ({
  agents,
  since,
  until,
  state,
  id,
  limit,
}: StoredFilter): { clause: string; values: unknown[] } => {
  const terms: string[] = [];
  const values: unknown[] = [];
  if (agents && agents.length > 0) {
    terms.push(`i.agent_id in (${agents.map(() => "?").join(", ")})`);
    values.push(...agents);
  }
  if (since) {
    terms.push("i.started_at >= ?");
    values.push(since.toISOString());
  }
  if (until) {
    terms.push("i.started_at < ?");
    values.push(until.toISOString());
  }
  if (state) {
    terms.push("i.state = ?");
    values.push(state);
  }
  if (id !== undefined) {
    terms.push("i.key = ?");
    values.push(id.toLowerCase());
  }
  const end = limit === undefined ? "" : ` limit ${Number(limit)}`;
  return { clause: `where ${terms.length > 0 ? terms.join(" and ") : "true"} ${ORDER}${end}`, values };
};
