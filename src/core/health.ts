/** How far an archive is behind, for monitoring. */
export interface Health {
  /** Of each agent the cursor that is furthest behind, ISO 8601 UTC: shards have one each. */
  cursors: { agentId: string; settledUntil: string }[];
  /** When the oldest conversation that is still open began, or was first seen where no start is known. */
  openSince?: Date;
  /** When the last run of the command ended that was complete, exit code 0. */
  lastSuccess?: Date;
}
