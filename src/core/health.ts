/** What the cloud may delete before the archive has it: call logs, audio of callbacks, recordings. */
export interface AtRisk {
  what: "call-logs" | "audio" | "recordings" | "inbox";
  count: number;
  /** When the oldest one was made, or first seen if that is not known. */
  oldest?: Date;
}

/** How far an archive is behind, for monitoring. */
export interface Health {
  /** The oldest cursor of each agent, ISO 8601 UTC. Each shard has a cursor of its own. */
  cursors: { agentId: string; settledUntil: string }[];
  /** Start of the oldest open conversation, or when it was first seen if its start is unknown. */
  openSince?: Date;
  /** When the command last ended with exit code 0. */
  lastSuccess?: Date;
}
