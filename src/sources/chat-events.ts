import { cleanMeta } from "../cloud/clean.ts";
import { InvalidDocument } from "../core/errors.ts";
import { isUsableId } from "../core/ids.ts";
import type { Arrival } from "../core/records.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { instant, textual } from "../parse/values.ts";
import { parseExact } from "../parse/values-exact.ts";

/** What EventBridge calls a chat log. */
export const CHAT_EVENT = { source: "acs.multimodal", type: "multimodal:Dialogue:ChatLogPush" } as const;

/** Sinks wrap an event in rows, bodies and columns; none of them nests deeper. */
const DEPTH = 6;

/**
The chat log events in a value: a CloudEvent, a list of them, or what a sink made of one (a row of a log service with the
event in a column, the body of a message, also in Base64, a row of a database).

`other`: how many events of other types were found beside them.

@throws InvalidDocument when there is no event in it, or an event lacks what identifies it
*/
export const chatEvents = (value: Json): { arrivals: Arrival[]; other: number } => {
  const found = eventsIn(value, DEPTH);
  if (found.length === 0) throw new InvalidDocument(whyNone(value), "NoEvent");
  const chats = found.filter(isChat);
  return { arrivals: chats.map(arrivalOf), other: found.length - chats.length };
};

const whyNone = (value: Json): string =>
  isObject(value) && "sessionId" in value && ("input" in value || "output" in value)
    ? "this is only the data of an event, without its id and time: let the event rule deliver the complete event"
    : "there is no event in it";

const isEvent = (value: JsonObject): boolean =>
  typeof value.type === "string" && typeof value.source === "string" && typeof value.id === "string" && "data" in value;

const isChat = ({ type }: JsonObject): boolean => type === CHAT_EVENT.type;

const eventsIn = (value: Json, depth: number): JsonObject[] => {
  if (depth < 0) return [];
  if (typeof value === "string") {
    const inner = parsedText(value);
    return inner === undefined ? [] : eventsIn(inner, depth - 1);
  }
  if (Array.isArray(value)) return value.flatMap((each) => eventsIn(each, depth - 1));
  if (!isObject(value)) return [];
  return isEvent(value) ? [value] : Object.values(value).flatMap((each) => eventsIn(each, depth - 1));
};

/** What a text holds as JSON, or as JSON in Base64; undefined when it is another text. */
const parsedText = (text: string): Json | undefined => {
  const plain = /^\s*[[{]/.test(text) ? text : /^e[yw][A-Za-z0-9+/]+=*\s*$/.test(text) ? fromBase64(text) : undefined;
  if (plain === undefined) return undefined;
  try {
    return parseExact(plain);
  } catch {
    return undefined;
  }
};

const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString();

/** The record of an event. Its envelope differs from one way to the next, so it is no part of the record. */
const arrivalOf = (event: JsonObject): Arrival => {
  const { id, source, type, time, subject } = event;
  const data = typeof event.data === "string" ? parsedText(event.data) : event.data;
  if (!isObject(data)) throw new InvalidDocument("the event has no chat log in data", "NotAChatLog");
  const session = textual(data.sessionId);
  const name = textual(id) ?? "";
  if (!isUsableId(name)) throw new InvalidDocument("the event has no usable id", "NotAChatLog");
  if (session === undefined || !isUsableId(session))
    throw new InvalidDocument("the event has no usable sessionId", "NotAChatLog");
  const at = instant(time);
  const agentId = textual(typeof subject === "string" ? subject.split(":")[3] : undefined);
  return {
    source: "chats",
    conversation: session,
    ...(agentId !== undefined && { agentId }),
    record: {
      id: name,
      ...(at !== undefined && { at: new Date(at) }),
      data: cleanEvent({
        id: name,
        source: source ?? null,
        type: type ?? null,
        ...(time !== undefined && { time }),
        ...(subject !== undefined && { subject }),
        data: { ...data, ...inner(data, "input"), ...inner(data, "output") },
      }),
    },
  };
};

/** A field with JSON text, parsed. */
const inner = (data: JsonObject, key: string): JsonObject => {
  const value = data[key];
  const parsed = typeof value === "string" ? parsedText(value) : undefined;
  return parsed === undefined ? {} : { [key]: parsed };
};

/** Tokens that the integrator's own tools are called with. */
const TOKENS = "user_defined_tokens";

/** An event that cannot be stored, without secrets, to be kept aside. */
export const cleanEvent = (event: JsonObject): JsonObject => cleanMeta(withoutTokens(event));

/** Deeper values are dropped, as `cleanMeta` drops them, so that nothing overflows the stack. */
const LEVELS = 64;

/** Also in lists, and in JSON text. */
const withoutTokens = (value: JsonObject): JsonObject => cleanObject(value, 0);

const cleanObject = (value: JsonObject, level: number): JsonObject =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, each]): [string, Json][] =>
      key === TOKENS ? [] : [[key, clean(each, level + 1)]],
    ),
  );

const clean = (value: Json, level: number): Json => {
  if (level > LEVELS) return null;
  if (Array.isArray(value)) return value.map((each) => clean(each, level + 1));
  if (isObject(value)) return cleanObject(value, level);
  if (typeof value !== "string" || !value.includes(TOKENS)) return value;
  const inner = parsedText(value);
  return inner === undefined ? value : JSON.stringify(clean(inner, level + 1));
};
