import { type ChatExchange, createSession } from "./chat-session.ts";
import { hash32, Random } from "./random.ts";
import { Timeline } from "./timeline.ts";

/** An event as the event bus delivers it. The chat log is in `data`. */
export type CloudEvent = {
  datacontenttype: string;
  aliyunaccountid: string;
  data: ChatExchange & { requestId: string; sessionId: string };
  subject: string;
  aliyunoriginalaccountid: string;
  source: string;
  type: string;
  /** When it was received, like "2025-07-14T00:00:00.000Z". */
  aliyunpublishtime: string;
  specversion: string;
  aliyuneventbusname: string;
  id: string;
  /** When it happened, like "2025-07-14T00:00:00.000Z". */
  time: string;
  aliyunregionid: string;
};

/** A hand-made event. Missing fields are generated. */
export interface ChatEventOptions {
  id?: string;
  sessionId: string;
  prompt?: string;
  text?: string;
  /** When it happened. @default `received` */
  at?: Date;
  /** When the event bus received it; events are listed by this time. @default now */
  received?: Date;
  /** @default "multimodal:Dialogue:ChatLogPush" */
  type?: string;
  /** @default "acs.multimodal" */
  source?: string;
  /** @default "default" */
  bus?: string;
  /** Fields that replace those of the event, `data` among them, in QueryEvent; they change no list. */
  fields?: Record<string, unknown>;
}

/** Which events to list; times in milliseconds, both included. */
export interface TraceQuery {
  bus: string;
  source: string | undefined;
  type: string | undefined;
  since: number;
  until: number;
}

/** An event in the trace. */
interface TracedEvent {
  /** When it was received, in milliseconds. */
  readonly at: number;
  readonly id: string;
  readonly bus: string;
  readonly source: string;
  readonly type: string;
  event(): CloudEvent;
}

export interface ChatsOptions {
  /** How many sessions are generated. */
  chats: number;
  seed: number;
  from: Date;
  to: Date;
  account: string;
  /** How long an event can be found. */
  traceDays: number | undefined;
  now: () => Date;
}

const REGION = "cn-beijing";
const MOST_EXCHANGES = 6;
const DAY_MS = 86_400_000;
const chatLog = { bus: "default", source: "acs.multimodal", type: "multimodal:Dialogue:ChatLogPush" };

/** The events of the chat logs: generated sessions, and events added by hand. Their texts are computed on demand. */
export const createChats = ({ chats, seed, from, to, account, traceDays, now }: ChatsOptions) => {
  const timeline = new Timeline<TracedEvent>();
  const byKey = new Map<string, TracedEvent>();
  const apps = [0, 1].map((number) => new Random(seed, number, 0xa4d5).digits(6));
  let added = 0;

  const keyOf = (bus: string, source: string, id: string): string => JSON.stringify([bus, source, id]);
  const insert = (event: TracedEvent): void => {
    timeline.add(event);
    byKey.set(keyOf(event.bus, event.source, event.id), event);
  };

  const cloudEvent = (
    traced: Omit<TracedEvent, "event">,
    { sessionId, at, log }: { sessionId: string; at: number; log: ChatExchange },
  ): CloudEvent => ({
    datacontenttype: "application/json;charset=utf-8",
    aliyunaccountid: account,
    data: { ...log, requestId: traced.id, sessionId },
    subject: `acs.multimodal:${REGION}:${account}:${apps[hash32(sessionId) % apps.length]}`,
    aliyunoriginalaccountid: account,
    source: traced.source,
    type: traced.type,
    aliyunpublishtime: new Date(traced.at).toISOString(),
    specversion: "1.0",
    aliyuneventbusname: traced.bus,
    id: traced.id,
    time: new Date(at).toISOString(),
    aliyunregionid: REGION,
  });

  const step = chats > 0 ? (to.getTime() - from.getTime()) / chats : 0;
  const generate = (index: number): void => {
    const random = new Random(seed, index, 0xc4a7);
    const sessionId = random.uuid();
    const count = random.int(1, MOST_EXCHANGES);
    const start = from.getTime() + (index + random.next()) * step;
    // Late sessions are hurried, so that all of them end in time.
    const gap = Math.min(random.int(4_000, 40_000), (to.getTime() - start) / (count + 1));
    for (let number = 0; number < count; number++) {
      const at = Math.floor(start + number * gap);
      const received = Math.floor(at + Math.min(gap / 2, random.int(15, 900)));
      const traced = { ...chatLog, id: random.hex(32), at: received };
      const event = (): CloudEvent => {
        const log = createSession(new Random(seed, index, 0xc4a8), count)[number];
        if (!log) throw new RangeError("a session has fewer exchanges than events");
        return cloudEvent(traced, { sessionId, at, log });
      };
      insert({ ...traced, event });
    }
  };
  for (let index = 0; index < chats; index++) generate(index);

  /** The earliest time of receipt that is not expired. */
  const horizon = (): number => (traceDays === undefined ? 0 : now().getTime() - traceDays * DAY_MS);

  return {
    add: (options: ChatEventOptions): string => {
      const random = new Random(seed, added++, 0xc4ad);
      const { id = random.hex(32), sessionId, prompt, text, received = now(), at = received, fields } = options;
      const { bus = chatLog.bus, source = chatLog.source, type = chatLog.type } = options;
      const traced = { id, bus, source, type, at: received.getTime() };
      const [log] = createSession(random, 1, { prompt, text });
      if (!log) throw new RangeError("a session has no exchange");
      const event = cloudEvent(traced, { sessionId, at: at.getTime(), log });
      insert({ ...traced, event: () => ({ ...event, ...fields }) });
      return id;
    },

    /** All events, also those that have expired, in the order in which they were received. */
    *events(): Generator<CloudEvent> {
      for (const { event } of timeline.all()) yield event();
    },

    /** The events that can be listed, in the order in which they were received. */
    trace: ({ bus, source, type, since, until }: TraceQuery): TracedEvent[] =>
      timeline
        .between(Math.max(since, horizon()), until)
        .filter(
          (event) =>
            event.bus === bus &&
            (source === undefined || event.source === source) &&
            (type === undefined || event.type === type),
        ),

    /** An event that has not expired; of several with this id, the one added last. */
    find: (bus: string, source: string, id: string): CloudEvent | undefined => {
      const found = byKey.get(keyOf(bus, source, id));
      return found && found.at >= horizon() ? found.event() : undefined;
    },
  };
};

export type Chats = ReturnType<typeof createChats>;
