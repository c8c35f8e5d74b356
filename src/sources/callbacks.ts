import { InvalidDocument } from "../core/errors.ts";
import { isUsableId } from "../core/ids.ts";
import type { Arrival } from "../core/records.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { jsonIn } from "../parse/audio-place.ts";
import { CHAT_RECORD, callbackMedia, callbackTime } from "../parse/callback-data.ts";
import { objectAt } from "../parse/many-records.ts";
import { textual } from "../parse/values.ts";
import { cleanAudioLinks } from "./audio-links.ts";
import { digest, isHarmlessId, nameIn } from "./record-ids.ts";

export { signedLinks } from "./audio-links.ts";

/** What a callback holds. */
export interface Callback {
  /** In lower case. */
  instanceId: string;
  event: string;
  /** The records of the call that it belongs to. */
  arrivals: Arrival[];
}

/**
The records in the body of an agent's callback: of `chat_record` one for each dialogue, of each other event one.

A delivery is identified by its content: the service gives no id to an event. `requestId` counts as envelope, because nothing
says that a repeated delivery carries the same one. So two events without a time that are the same in all else are one
record. All other fields are kept, without secrets.

@throws InvalidDocument with code `NotACallback` when it lacks a usable instance id or an event
*/
export const callbackArrivals = (value: Json): Callback => {
  if (!isObject(value)) throw notACallback("the body is not a JSON object");
  const instanceId = textual(value.instanceId)?.toLowerCase();
  if (instanceId === undefined || !isHarmlessId(instanceId)) throw notACallback("there is no usable instanceId");
  const event = textual(value.event);
  if (event === undefined) throw notACallback("there is no event");
  const agentId = textual(value.aiAgentId);
  const heading: JsonObject = { event, instanceId, ...(agentId !== undefined && { aiAgentId: agentId }) };
  const { requestId: _, ...content } = value;
  const payload = { ...content, ...(value.data !== undefined && { data: payloadOf(value.data) }), ...heading };
  const arrivals = event === CHAT_RECORD ? chatRecords(payload, heading) : [eventRecord(payload)];
  return { instanceId, event, arrivals };
};

const notACallback = (reason: string): InvalidDocument => new InvalidDocument(reason, "NotACallback");

/** The payload, also when it came as JSON text, without the request that brought it. */
const payloadOf = (data: Json): Json => {
  const value = typeof data === "string" ? (jsonIn(data) ?? data) : data;
  if (!isObject(value)) return value;
  const { requestId: _, ...rest } = value;
  return rest;
};

/** A record for each dialogue, and one for what else the callback tells, if it does. */
const chatRecords = (payload: JsonObject, heading: JsonObject): Arrival[] => {
  const found: JsonObject[] = [];
  const { dialogues, data, ...rest } = payload;
  const outer = taken(dialogues, found);
  const inner = isObject(data) ? taken(data.dialogues, found) : undefined;
  // Without dialogues it is an event like any other.
  if (found.length === 0) return [eventRecord(payload)];
  const records = new Map<string, Arrival>();
  const { instanceId } = heading as { instanceId: string };
  const agent = typeof heading.aiAgentId === "string" && isUsableId(heading.aiAgentId);
  const short: JsonObject = agent ? heading : { event: CHAT_RECORD, instanceId };
  for (const [at, dialogue] of found.entries()) {
    const record = cleanAudioLinks({ ...short, dialogue });
    const name = nameIn(objectAt(record, "dialogue").dialogueId);
    const id = `${instanceId}/dialogue/${name ?? digest(record)}`;
    // The same content has the same id. Two contents with one dialogue id are for the archive to decide.
    records.set(name === undefined ? id : `${at}`, arrivalOf(record, id));
  }
  const { dialogues: _, ...restOfData } = isObject(data) ? data : {};
  const others = {
    ...withoutDelivery(rest),
    ...(outer !== undefined && { dialogues: outer }),
    ...(isObject(data)
      ? filled({ data: { ...withoutDelivery(restOfData), ...(inner !== undefined && { dialogues: inner }) } })
      : { data: data ?? null }),
  };
  const told = filled(others);
  const isMore = Object.keys(told).some((key) => !Object.hasOwn(heading, key));
  return [...records.values(), ...(isMore ? [eventRecord({ ...told, ...heading })] : [])];
};

/** Moves the dialogues of a list to `found`. @returns what is no dialogue, if there is something */
const taken = (dialogues: Json | undefined, found: JsonObject[]): Json | undefined => {
  if (!Array.isArray(dialogues)) return dialogues;
  const others: Json[] = [];
  for (const each of dialogues)
    if (isObject(each) && (textual(each.dialogueId) ?? textual(each.text)) !== undefined) found.push(each);
    else others.push(each);
  return others.length === 0 ? undefined : others;
};

const SUCCESS: ReadonlySet<unknown> = new Set(["", "0", 0, "200", 200, "success", "ok"]);

/** What a delivery says of itself says nothing, unless it failed. Each dialogue has a time of its own. */
const withoutDelivery = ({ timestamp: _, ...value }: JsonObject): JsonObject => {
  const { code, message: _m, ...rest } = value;
  const isSuccess = code === undefined || SUCCESS.has(typeof code === "string" ? code.toLowerCase() : code);
  return isSuccess ? rest : value;
};

const filled = (value: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([, each]) => each !== null && each !== "" && !(isObject(each) && Object.keys(each).length === 0),
    ),
  );

const eventRecord = (payload: JsonObject): Arrival => {
  const data = cleanAudioLinks(payload);
  const event = String(payload.event);
  const name = /^[\w.:-]{1,64}$/.test(event) ? event : "unknown";
  return arrivalOf(data, `${String(payload.instanceId)}/${name}/${digest(data)}`);
};

const arrivalOf = (data: JsonObject, id: string): Arrival => {
  const at = callbackTime(data);
  const media = callbackMedia(data);
  const agentId = textual(data.aiAgentId);
  return {
    source: "calls",
    conversation: String(data.instanceId),
    ...(agentId !== undefined && isUsableId(agentId) && { agentId }),
    record: {
      source: "callbacks",
      id: id.toWellFormed(),
      ...(at !== undefined && { at: new Date(at) }),
      data,
      ...(media && { media: [media] }),
    },
  };
};
