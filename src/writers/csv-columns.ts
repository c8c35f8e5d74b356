import type { Transcript, Turn } from "../core/transcript.ts";
import { jsonLine } from "./shape.ts";

export type Cell = string | number | boolean | undefined;

/** A turn as a row needs it: with its call and its place in it, counted from 1. The call's only row may have none. */
interface Row {
  call: Transcript;
  turn?: Turn;
  index?: number;
}

interface Column {
  readonly name: string;
  /** One line for docs and help. */
  readonly about: string;
  readonly cell: (row: Row) => Cell;
}

const json = (value: object | undefined): Cell => (value === undefined ? undefined : jsonLine(value).trimEnd());

const column = (name: string, about: string, cell: Column["cell"]): Column => ({ name, about, cell });

/** The columns of the CSV, in order. New ones go to the end: readers count on places. */
export const csvColumns: readonly Column[] = [
  column("call_id", "Instance id of the call", ({ call }) => call.id),
  column("turn", "Place of the turn in its call, from 1; empty when the call has no turns", ({ index }) => index),
  column("turn_id", "The turn's id in the source", ({ turn }) => turn?.id),
  column("role", "user or agent, as in the source", ({ turn }) => turn?.role),
  column("kind", "greeting or normal, as in the source", ({ turn }) => turn?.kind),
  column("begin", "Seconds from the start of the call", ({ turn }) => turn?.begin),
  column("at", "When the turn began, ISO 8601 UTC", ({ turn }) => turn?.at),
  column("text", "What was said", ({ turn }) => turn?.text),
  column("interrupted", "true when the caller cut in; else empty", ({ turn }) => turn?.interrupted),
  column("source", "Where the conversation was read from", ({ call }) => call.source),
  column("agent_id", "The AI agent", ({ call }) => call.agentId),
  column("session_id", "The session that the call belongs to", ({ call }) => call.sessionId),
  column("started_at", "Start of the call, ISO 8601 UTC", ({ call }) => call.startedAt),
  column("ended_at", "End of the call, ISO 8601 UTC", ({ call }) => call.endedAt),
  column("duration_seconds", "Length of the call in seconds", ({ call }) => call.durationSeconds),
  column("status", "Created, Executing or Finished", ({ call }) => call.status),
  column("agent_user_id", "The agent's user id in the channel", ({ call }) => call.participants.agentUserId),
  column("remote_user_id", "The caller's user id in the channel", ({ call }) => call.participants.remoteUserId),
  column("caller", "Calling phone number", ({ call }) => call.participants.caller),
  column("callee", "Called phone number", ({ call }) => call.participants.callee),
  column("language", "Language set for speech recognition", ({ call }) => call.language),
  column("tool_calls", "Tools that the agent called, JSON", ({ turn }) => json(turn?.toolCalls)),
  column("tool_call_id", "The tool call that this turn answers", ({ turn }) => turn?.toolCallId),
  column("reasoning", "The model's reasoning, where the source has it", ({ turn }) => turn?.reasoning),
  column("audio", "Where the turn's audio lies", ({ turn }) => turn?.audio),
  column("extra", "Fields of the turn that this version does not know, JSON", ({ turn }) => json(turn?.extra)),
];

/** A row per turn; a call without turns has one too, so that it is not lost. */
export const csvRows = (call: Transcript): Cell[][] => {
  const rows: Row[] = call.turns.map((turn, index) => ({ call, turn, index: index + 1 }));
  return (rows.length === 0 ? [{ call }] : rows).map((row) => csvColumns.map(({ cell }) => wellFormedCell(cell(row))));
};

const wellFormedCell = (cell: Cell): Cell => (typeof cell === "string" ? cell.toWellFormed() : cell);
