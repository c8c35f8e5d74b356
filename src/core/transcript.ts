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
  /** The address of the turn's audio, without its signature. */
  audio?: string;
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

/** The source document of a transcript, to find it and to check it. */
export interface Provenance {
  /** SHA-256 of the raw document, hex. */
  sha256: string;
  /** Length of the raw document in bytes. */
  bytes: number;
  /** The document's address without its signature. */
  link?: string;
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
  /** From 2 on: how often the destination has received this conversation. */
  revision?: number;
  provenance: Provenance;
  /** Fields of the source that this version does not know. */
  extra?: JsonObject;
}

/** The platform's mark for an interruption: the caller did not hear the agent's text after it. */
export const INTERRUPTED = "<ims_agent_interrupted>";
