import { advanceOf } from "../core/flow/advance.ts";
import type { EventBridge, TracedEvent } from "../core/ports.ts";
import type { Window } from "../core/records.ts";
import { CHAT_EVENT } from "./chat-events.ts";

export interface TraceOptions {
  eventBridge: Pick<EventBridge, "tracedEvents">;
  bus: string;
  window: Window;
  signal?: AbortSignal;
}

/**
The chat log events that a bus received in a window, page by page, each once.

@throws Refused when the pages do not advance, and the service's errors
*/
export async function* tracedChats({ eventBridge, bus, window, signal }: TraceOptions): AsyncGenerator<TracedEvent[]> {
  const seen = new Set<string>();
  const advance = advanceOf("the event trace");
  let next: string | undefined;
  do {
    const query = { bus, ...CHAT_EVENT, ...window, ...(next !== undefined && { next }) };
    const page = await eventBridge.tracedEvents(query, signal);
    const fresh = page.events.filter((event) => isChat(event) && isWithin(event, window) && !seen.has(event.id));
    for (const { id } of page.events) seen.add(id);
    yield fresh;
    next = page.next;
    if (next !== undefined) advance(next, fresh.length > 0);
  } while (next !== undefined);
}

/** The service filters by source and type, too. */
const isChat = ({ id, source, type }: TracedEvent): boolean =>
  id !== "" && source === CHAT_EVENT.source && type === CHAT_EVENT.type;

/** The service includes the end of a window; here it belongs to the next window. */
const isWithin = ({ receivedAt }: TracedEvent, { end }: Window): boolean =>
  receivedAt === undefined || receivedAt < end;
