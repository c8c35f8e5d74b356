import { Refused } from "../core/errors.ts";
import type { EventBridge, LogPage, TracePage } from "../core/ports.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { type Rpc, type RpcAnswer, textOf } from "./openapi.ts";

/** Version of EventBridge's API. */
export const EVENTBRIDGE_VERSION = "2020-04-01";
/** EventBridge's name in RAM. */
export const EVENTBRIDGE_PRODUCT = "eventbridge";

/** The most events that one page of the trace may have. */
const TRACE_LIMIT = 100;
/** The most entries that one page of the query log may have. */
const LOG_LIMIT = 50;
/** Limit for a page of the query log, in bytes: entries carry the rows of their queries. */
const LOG_BYTES = 64 * 1024 * 1024;

/** The EventBridge port over a client of the service's RPC protocol. Source: the vendor's SDK and its page of QueryAskLumaLog. */
export const createEventBridge = (rpc: Rpc): EventBridge => ({
  async tracedEvents({ bus, source, type, start, end, next }, signal) {
    const query = {
      EventBusName: bus,
      EventSource: source,
      EventType: type,
      StartTime: start.getTime(),
      EndTime: end.getTime(),
      Limit: TRACE_LIMIT,
      ...(next !== undefined && { NextToken: next }),
    };
    const answer = await rpc("QueryTracedEvents", query, { signal });
    const data = dataOf(answer);
    const token = textOf(data.NextToken);
    return {
      events: listOf(data, "Events", answer).map(tracedEvent),
      ...(token !== undefined && { next: token }),
    } satisfies TracePage;
  },

  async event({ bus, source, id }, signal) {
    const answer = await rpc("QueryEvent", { EventBusName: bus, EventSource: source, EventId: id }, { signal });
    return dataOf(answer);
  },

  async queryLog({ agentName, after }, signal) {
    const body = {
      Limit: LOG_LIMIT,
      ...(agentName !== undefined && { AgentName: agentName }),
      ...(after !== undefined && { After: after }),
    };
    const answer = await rpc("QueryAskLumaLog", {}, { body, signal, maxBytes: LOG_BYTES });
    const data = dataOf(answer);
    const lastKey = textOf(data.LastKey);
    return {
      entries: listOf(data, "Entries", answer),
      ...(lastKey !== undefined && { lastKey }),
      hasMore: data.HasMore === true,
    } satisfies LogPage;
  },
});

const tracedEvent = (wire: Json): TracePage["events"][number] => {
  const { EventId, EventSource, EventType, EventReceivedTime } = isObject(wire) ? wire : {};
  const received = Number(EventReceivedTime ?? Number.NaN);
  return {
    id: textOf(EventId) ?? "",
    source: textOf(EventSource) ?? "",
    type: textOf(EventType) ?? "",
    ...(Number.isFinite(received) && { receivedAt: new Date(received) }),
  };
};

const dataOf = ({ body, requestId }: RpcAnswer): JsonObject => {
  if (isObject(body.Data)) return body.Data;
  throw unusable("no data", requestId);
};

const listOf = (data: JsonObject, name: string, { requestId }: RpcAnswer): Json[] => {
  const list = data[name] ?? [];
  if (Array.isArray(list)) return list;
  throw unusable(`no list of ${name}`, requestId);
};

const unusable = (what: string, requestId: string | undefined): Refused =>
  new Refused(`The service's answer holds ${what}.`, { code: "InvalidAnswer", ...(requestId && { requestId }) });
