import { jsonOf } from "../core/text.ts";
import type { Json, Transcript, Turn } from "../core/transcript.ts";

export type Cell = string | number | boolean | undefined;

interface About {
  readonly name: string;
  /** One line for docs and help. */
  readonly about: string;
}

/** A column with the same value in every row of a call. */
export interface CallColumn extends About {
  readonly ofCall: (call: Transcript) => Cell;
}

/** A column with a value per turn; `place` counts from 1. Empty in the only row of a call without turns. */
export interface TurnColumn extends About {
  readonly ofTurn: (turn: Turn, place: number) => Cell;
}

const json = (value: Json | object | undefined): Cell => (value === undefined ? undefined : jsonOf(value));

const call = (name: string, about: string, ofCall: CallColumn["ofCall"]): CallColumn => ({ name, about, ofCall });
const turn = (name: string, about: string, ofTurn: TurnColumn["ofTurn"]): TurnColumn => ({ name, about, ofTurn });

/** The columns of the CSV, in order. New ones are added at the end, because programs rely on positions. */
export const csvColumns: readonly (CallColumn | TurnColumn)[] = [
  call("call_id", "Instance id of the call", ({ id }) => id),
  turn("turn", "Number of the turn in its call, from 1; empty if the call has no turns", (_, place) => place),
  turn("turn_id", "The turn's id in the source", ({ id }) => id),
  turn("role", "user or agent, as in the source", ({ role }) => role),
  turn("kind", "greeting or normal, as in the source", ({ kind }) => kind),
  turn("begin", "Seconds from the start of the call", ({ begin }) => begin),
  turn("at", "When the turn began, ISO 8601 UTC", ({ at }) => at),
  turn("text", "What was said", ({ text }) => text),
  turn("interrupted", "true if the caller interrupted; otherwise empty", ({ interrupted }) => interrupted),
  call("source", "Where the conversation was read from", ({ source }) => source),
  call("agent_id", "The AI agent", ({ agentId }) => agentId),
  call("session_id", "The session that the call belongs to", ({ sessionId }) => sessionId),
  call("started_at", "Start of the call, ISO 8601 UTC", ({ startedAt }) => startedAt),
  call("ended_at", "End of the call, ISO 8601 UTC", ({ endedAt }) => endedAt),
  call("duration_seconds", "Length of the call in seconds", ({ durationSeconds }) => durationSeconds),
  call("status", "Created, Executing or Finished", ({ status }) => status),
  call("agent_user_id", "The agent's user id in the channel", ({ participants }) => participants.agentUserId),
  call("remote_user_id", "The caller's user id in the channel", ({ participants }) => participants.remoteUserId),
  call("caller", "Calling phone number", ({ participants }) => participants.caller),
  call("callee", "Called phone number", ({ participants }) => participants.callee),
  call("language", "Language set for speech recognition", ({ language }) => language),
  turn("tool_calls", "Tools that the agent called, JSON", ({ toolCalls }) => json(toolCalls)),
  turn("tool_call_id", "The tool call that this turn answers", ({ toolCallId }) => toolCallId),
  turn("reasoning", "The model's reasoning, if the source has it", ({ reasoning }) => reasoning),
  turn("audio", "Where the turn's audio is", ({ audio }) => audio),
  turn("extra", "Fields of the turn that this version does not know, JSON", ({ extra }) => json(extra)),
  turn("data", "Structured results of the turn, JSON", ({ data }) => json(data)),
  call(
    "revision",
    "From 2 on: how often the destination received the call; otherwise empty",
    ({ revision }) => revision,
  ),
];
