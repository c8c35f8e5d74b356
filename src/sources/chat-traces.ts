import { Refused } from "../core/errors.ts";
import type { EventBridge, TracedEvent } from "../core/ports.ts";
import type { Window } from "../core/records.ts";
import { CHAT_EVENT } from "./chat-events.ts";

/** So many pages in a row without a new event end the listing with an error: the service does not advance. */
const MOST_IDLE_PAGES = 100;

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
  const places = new Set<string>();
  let next: string | undefined;
  let idle = 0;
  do {
    const query = { bus, ...CHAT_EVENT, ...window, ...(next !== undefined && { next }) };
    const page = await eventBridge.tracedEvents(query, signal);
    const fresh = page.events.filter((event) => isChat(event) && isWithin(event, window) && !seen.has(event.id));
    for (const { id } of page.events) seen.add(id);
    yield fresh;
    idle = fresh.length > 0 ? 0 : idle + 1;
    next = page.next;
    if (next !== undefined && (places.has(next) || idle >= MOST_IDLE_PAGES)) throw notAdvancing("the event trace");
    if (next !== undefined) places.add(next);
  } while (next !== undefined);
}

/** The service filters by source and type, too. */
const isChat = ({ id, source, type }: TracedEvent): boolean =>
  id !== "" && source === CHAT_EVENT.source && type === CHAT_EVENT.type;

/** The service includes the end of a window; here it belongs to the next window. */
const isWithin = ({ receivedAt }: TracedEvent, { end }: Window): boolean =>
  receivedAt === undefined || receivedAt < end;

/** The error for pages that repeat, which would otherwise be read for ever. */
export const notAdvancing = (what: string): Refused =>
  new Refused(
    `The pages of ${what} do not advance: they repeat, or bring nothing new. What was read before is kept; run again later.`,
    { code: "PageRepeats" },
  );
