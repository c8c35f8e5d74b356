import type { Json, JsonObject, Participants } from "../core/transcript.ts";
import { isObject } from "../core/transcript.ts";
import { jsonIn } from "./audio-place.ts";
import { userData } from "./call-meta.ts";
import { CHAT_RECORD, callbackMedia, callbackTime } from "./callback-data.ts";
import type { RecordContents, StoredRecord, Utterance } from "./utterances.ts";
import { iso, textual } from "./values.ts";

/** Events of each answer that say nothing but that the service works on it. */
const STEPS: ReadonlySet<unknown> = new Set(["intent_detected", "llm_data_received", "tts_data_received"]);

const CALL_STARTS: ReadonlySet<unknown> = new Set(["session_start", "agent_start"]);
const CALL_END = "agent_stop";

/** At most so many events are listed, with at most so many characters of data each. */
const EVENT_LIMIT = 100;
const DATA_LIMIT = 4000;

/** What a call's callbacks and dialogues tell of the call itself. */
export interface RecordedFacts {
  agentId?: string;
  sessionId?: string;
  /** When it was set up and taken down, in milliseconds since 1970. */
  start?: number;
  end?: number;
  participants: Participants;
  userData?: Json;
}

export const recordedFacts = ({ events, records }: RecordContents): RecordedFacts => {
  const facts: RecordedFacts = { participants: {} };
  for (const { facts: record, data } of records) {
    const isListed = record.source === "dialogues";
    const agentId = isListed ? undefined : textual(data.aiAgentId);
    if (agentId !== undefined && (facts.agentId === undefined || agentId < facts.agentId)) facts.agentId = agentId;
    if (isListed) facts.sessionId ??= textual(data.SessionId) as string;
    const given = isListed ? undefined : data.userData;
    if (facts.userData === undefined && given !== undefined && given !== null && given !== "")
      facts.userData = typeof given === "string" ? userData(given) : given;
  }
  for (const { data } of events) {
    const at = callbackTime(data);
    if (at !== undefined && CALL_STARTS.has(data.event)) facts.start = Math.min(facts.start ?? at, at);
    if (at !== undefined && data.event === CALL_END) facts.end = Math.max(facts.end ?? at, at);
    addNumbers(facts.participants, data);
  }
  return facts;
};

/** Of `outbound_call` and `inbound_call`. */
const addNumbers = (participants: Participants, { data, extendData }: JsonObject): void => {
  for (const value of [extendData, data]) {
    const fields = typeof value === "string" ? jsonIn(value) : value;
    if (!isObject(fields)) continue;
    const caller = textual(fields.callerNumber);
    const callee = textual(fields.calleeNumber);
    if (caller !== undefined) participants.caller ??= caller;
    if (callee !== undefined) participants.callee ??= callee;
  }
};

/**
The fields of a transcript's `extra` for what is no turn: the other events of the call in their order, short ones whole, and
audio.

@param sentences audio of no turn
*/
export const eventFields = (events: readonly StoredRecord[], sentences: readonly Utterance[]): JsonObject => {
  const shown = events.filter(({ data }) => !STEPS.has(data.event) && data.event !== CHAT_RECORD);
  const list = shown.slice(0, EVENT_LIMIT).map(({ data }) => eventOf(data));
  const audio = sentences.flatMap((sentence) => sentence.audio ?? []);
  return {
    ...(list.length > 0 && { callbackEvents: list }),
    ...(shown.length > EVENT_LIMIT && { callbackEventsLeftOut: shown.length - EVENT_LIMIT }),
    ...(audio.length > 0 && { furtherAudio: audio.slice(0, EVENT_LIMIT) }),
  };
};

const eventOf = (content: JsonObject): JsonObject => {
  const { event, code, message, data, extendData } = content;
  const at = callbackTime(content);
  const time = at === undefined ? undefined : iso(at);
  const audio = callbackMedia(content)?.place;
  const isShort = (value: Json | undefined): value is Json =>
    value !== undefined && value !== null && value !== "" && JSON.stringify(value).length <= DATA_LIMIT;
  return {
    event: String(event),
    ...(time !== undefined && { at: time }),
    ...(isShort(code) && { code }),
    ...(isShort(message) && { message }),
    ...(audio !== undefined && { audio }),
    ...(isShort(data) && { data }),
    ...(isShort(extendData) && { extendData }),
  };
};
