import { ApiError } from "./api-error.ts";
import type { Chats, TraceQuery } from "./chats.ts";
import type { Dice } from "./faults.ts";
import { lowerBound } from "./lower-bound.ts";
import { invalid, milliseconds, optional, required, whole } from "./parameters.ts";
import type { Queries } from "./queries.ts";
import { hash32 } from "./random.ts";
import type { Action, Product } from "./rpc.ts";

const MOST_EVENTS = 100;
const MOST_ENTRIES = 50;

export interface EventBridgeOptions {
  chats: Chats;
  queries: Queries;
  dice: Dice;
  lumaEnabled: boolean;
  queryCursor: "lastKey" | "messageId";
}

const success = (data: unknown): Record<string, unknown> => ({
  Code: "Success",
  Success: true,
  Message: "",
  Data: data,
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (text: string): unknown => {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
};

/** A NextToken: the time of the last event that was listed, how many of this time were listed, and for which query. */
const tokenOf = (at: number, listed: number, query: TraceQuery): string =>
  encode([at, listed, hash32(JSON.stringify(query))]);

const positionOf = (token: string, query: TraceQuery): { at: number; listed: number } => {
  const [at, listed] = [decode(token)].flat();
  if (typeof at !== "number" || typeof listed !== "number" || token !== tokenOf(at, listed, query))
    throw invalid("NextToken", "it does not belong to this query");
  return { at, listed };
};

/** The actions on traced events and on the log of natural-language queries. */
export const createEventBridge = (options: EventBridgeOptions): Product => {
  const { chats, queries, dice, lumaEnabled, queryCursor } = options;

  const queryTracedEvents: Action = (parameters) => {
    const bus = required(parameters, "EventBusName");
    const limit = whole(parameters, "Limit", 10, MOST_EVENTS);
    const since = milliseconds(parameters, "StartTime", 0);
    const until = milliseconds(parameters, "EndTime", Number.MAX_SAFE_INTEGER - 1);
    if (until < since) throw invalid("EndTime", "it must not be before StartTime");
    const [source, type] = [optional(parameters, "EventSource"), optional(parameters, "EventType")];
    const query = { bus, source, type, since, until };
    const token = optional(parameters, "NextToken");
    const position = token === undefined ? undefined : positionOf(token, query);

    const events = chats.trace(query);
    const before = (at: number): number => lowerBound(events.length, (index) => events[index]?.at ?? 0, at);
    const start = position ? before(position.at) + position.listed : 0;
    const page = events.slice(start, start + limit);
    const end = start + page.length;
    const last = page.at(-1);
    const next = last && end < events.length ? tokenOf(last.at, end - before(last.at), query) : undefined;
    const given = token !== undefined && dice.roll("repeat") ? token : next;
    return success({
      Events: page.map((event) => ({
        EventId: event.id,
        EventSource: event.source,
        EventType: event.type,
        EventReceivedTime: event.at,
      })),
      ...(given !== undefined && { NextToken: given }),
      Total: events.length,
    });
  };

  const queryEvent: Action = (parameters) => {
    const [bus, source] = [required(parameters, "EventBusName"), required(parameters, "EventSource")];
    const event = chats.find(bus, source, required(parameters, "EventId"));
    if (!event) throw new ApiError(404, "Event.NotFound", "The specified event does not exist or has expired.");
    return success(event);
  };

  const keyOf = (id: string): string => (queryCursor === "messageId" ? id : encode({ id }));

  const queryAskLumaLog: Action = (parameters) => {
    if (!lumaEnabled) throw new ApiError(403, "ServiceNotEnable", "Service not enable");
    const agent = optional(parameters, "AgentName");
    const after = optional(parameters, "After");
    const limit = whole(parameters, "Limit", 20, MOST_ENTRIES);
    if (after !== undefined && dice.roll("shift")) queries.add(agent === undefined ? {} : { agentName: agent });

    const entries = queries.list(agent);
    const wanted = queryCursor === "messageId" ? after : idOf(after);
    const found = entries.findIndex(({ id }) => id === wanted && keyOf(id) === after);
    if (after !== undefined && found < 0) throw invalid("After", "no entry has this cursor");
    const start = found + 1;
    const repeats = after !== undefined && dice.roll("repeat");
    // Without a LastKey the last MessageId is the cursor: the page before this one ends with it.
    const page =
      repeats && queryCursor === "messageId"
        ? entries.slice(Math.max(0, start - limit), start)
        : entries.slice(start, start + limit);
    const hasMore = repeats || start + page.length < entries.length;
    const last = page.at(-1);
    const lastKey = repeats ? after : last && hasMore ? keyOf(last.id) : "";
    return success({
      Entries: page.map((slot) => slot.entry()),
      LastKey: queryCursor === "lastKey" ? lastKey : "",
      HasMore: hasMore,
    });
  };

  return {
    name: "eventbridge",
    version: "2020-04-01",
    isMetered: true,
    actions: { QueryTracedEvents: queryTracedEvents, QueryEvent: queryEvent, QueryAskLumaLog: queryAskLumaLog },
  };
};

/** The MessageId in a LastKey. */
const idOf = (key: string | undefined): unknown => {
  const value = key === undefined ? undefined : decode(key);
  return typeof value === "object" && value !== null && "id" in value ? value.id : undefined;
};
