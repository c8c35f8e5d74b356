/** A JSON value as `JSON.parse` gives it. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Where a conversation was read from. */
export type SourceName = "calls" | "chats" | "queries" | "callbacks" | "dialogues";

/** The two roles of a voice call, and those of logs with tools. Other roles are kept as text. */
export type Role = "user" | "agent" | "tool" | "system" | (string & {});

/** `greeting` and `normal` are documented; other kinds are kept as text. */
export type Kind = "greeting" | "normal" | (string & {});

export interface ToolCall {
  id: string;
  name: string;
  /** JSON text, as the model wrote it. */
  arguments: string;
}

export interface Turn {
  /** The source's id as text; a turn without one gets its position, counted from 1. */
  id: string;
  role: Role;
  kind: Kind;
  text: string;
  /**
  Seconds from the start of the call; absent when the source has none.

  For agent turns it is the time when the entry was written, so it may not increase. Turns keep the source's order.
  */
  begin?: number;
  /** ISO 8601 UTC; absent when the call's start is unknown. */
  at?: string;
  /** True when the caller interrupted: the caller did not hear the text after the platform's tag. */
  interrupted?: boolean;
  reasoning?: string;
  toolCalls?: ToolCall[];
  toolCallId?: string;
  /** Structured results, as the source has them: for example of a tool or of a query. */
  data?: Json;
  /** The address of the turn's audio, without its signature. */
  audio?: string;
  /** The source of the record that has this turn, if it is not in the call log although there is one. */
  recordSource?: SourceName;
  /** Fields of the source that this version does not know. */
  extra?: JsonObject;
}

export interface Participants {
  agentUserId?: string;
  remoteUserId?: string;
  /** Phone numbers: personal data. */
  caller?: string;
  callee?: string;
}

/** A file that belongs to a conversation: for example a recording. */
export interface MediaFile {
  /** What it holds, for example `recording`; kept as text. */
  kind: string;
  /** The number of its turn, from 1; absent when it belongs to the whole conversation. */
  turn?: number;
  /** Relative to the output's folder, with `/` between folders. */
  path: string;
  /** SHA-256 of the file, hex. */
  sha256: string;
  /** Length of the file in bytes. */
  bytes: number;
  /** How long it plays, in seconds. */
  seconds?: number;
}

/** A raw record that a transcript was made of, to find it and to check it. */
export interface ProvenanceRecord {
  source: SourceName;
  /** The record's own id in its source; absent for call logs, which have none. */
  id?: string;
  /** SHA-256 of the raw record, hex. */
  sha256: string;
  /** Length of the raw record in bytes. */
  bytes: number;
  /** The record's address without its signature. */
  link?: string;
}

export interface Provenance {
  /** All raw records of the transcript, at least one. */
  records: ProvenanceRecord[];
}

/** A normalised conversation. Unknown values are absent. Nothing depends on when it was fetched. */
export interface Transcript {
  /** The instance id for calls. */
  id: string;
  source: SourceName;
  agentId?: string;
  sessionId?: string;
  /** ISO 8601 UTC with milliseconds. */
  startedAt?: string;
  endedAt?: string;
  durationSeconds?: number;
  status?: string;
  participants: Participants;
  /** The agent's system prompt, as configured for this call. */
  system?: string;
  /** As configured for speech recognition, for example `zh` or `en`. */
  language?: string;
  /** The integrator's own data: parsed if it is JSON, else the text. */
  userData?: Json;
  turns: Turn[];
  media?: MediaFile[];
  /**
  How often a destination of `--new` has received this conversation, this time included.

  Present from 2 on; absent in a first delivery and in plain exports.
  */
  revision?: number;
  provenance: Provenance;
  /** Fields of the source that this version does not know. */
  extra?: JsonObject;
}

/** The kinds of an agent's turns in conversations with query agents; the result is the turn of a tool. */
export const QUERY_KINDS = { query: "query", result: "query-result", clarification: "clarification" } as const;

/** The platform's mark for an interruption: the caller did not hear the agent's text after it. */
export const INTERRUPTED = "<ims_agent_interrupted>";
