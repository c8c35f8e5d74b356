import { wellFormed } from "../core/text.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { DEPTH, instant, numeric, textual } from "./values.ts";
import { parseExact } from "./values-exact.ts";

/** The facts about a call in the answer of describe, or of list, which has fewer fields. */
export interface CallFacts {
  sessionId: string | undefined;
  channel: string | undefined;
  status: string | undefined;
  /** Milliseconds since 1970: the start of the call, else the creation of the instance. */
  start: number | undefined;
  end: number | undefined;
  /** Milliseconds since 1970: the end, else the last change of a finished call. The service gives times of phone calls only. */
  endedBy: number | undefined;
  /** Seconds. */
  duration: number | undefined;
  agentUserId: string | undefined;
  caller: string | undefined;
  callee: string | undefined;
  system: string | undefined;
  language: string | undefined;
  userData: Json | undefined;
}

/** Reads the facts. Never throws: a field of the wrong type counts as absent. */
export const callFacts = (meta: JsonObject = {}): CallFacts => {
  const call = part(meta, "CallInfo");
  const agent = part(meta, "AgentConfig");
  const seconds = numeric(call.CallDuration);
  const start = instant(call.CallStartTime) ?? instant(meta.GmtCreate);
  const end = instant(call.CallEndTime);
  const isFinished = textual(meta.Status)?.toLowerCase() === "finished";
  return {
    sessionId: textual(meta.SessionId),
    channel: channelOf(part(meta, "RuntimeConfig")),
    status: textual(meta.Status),
    start,
    end,
    endedBy: end ?? (isFinished ? instant(meta.GmtModified) : undefined),
    duration: seconds !== undefined && seconds >= 0 ? seconds : undefined,
    agentUserId: textual(part(meta, "RuntimeConfig").AgentUserId),
    caller: textual(call.CallerNumber),
    callee: textual(call.CalleeNumber),
    system: textual(part(agent, "LlmConfig").LlmSystemPrompt),
    language: textual(part(agent, "AsrConfig").AsrLanguageId),
    userData: typeof meta.UserData === "string" && meta.UserData !== "" ? userData(meta.UserData) : undefined,
  };
};

const EMPTY: JsonObject = {};

const part = (value: JsonObject, key: string): JsonObject => {
  const found = value[key];
  return isObject(found) ? found : EMPTY;
};

/** The older form has it in an object for the kind of agent: `VoiceChat`, `VisionChat`, `AvatarChat3D`. */
const channelOf = (config: JsonObject): string | undefined =>
  textual(config.ChannelId) ??
  Object.values(config)
    .map((kind) => (isObject(kind) ? textual(kind.ChannelId) : undefined))
    .find((channel) => channel !== undefined);

/** The integrator's own data: JSON text is parsed. */
export const userData = (text: string): Json => {
  try {
    const value = parseExact(text);
    // A number that JSON.parse would change is an identifier, so its text is kept.
    if (typeof value !== "number" || String(value) === text) return wellFormed(value, DEPTH);
  } catch {
    // Not JSON, or nested too deeply: kept as text.
  }
  return text.toWellFormed();
};
