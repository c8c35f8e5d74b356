import { ArchiveError, InvalidDocument, NotFound, Throttled, Unavailable } from "../../core/errors.ts";
import type { EventBridge, TracedEvent } from "../../core/ports.ts";
import type { Arrival } from "../../core/records.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { chatEvents, cleanEvent } from "../../sources/chat-events.ts";
import { type Trouble, troubleFrom } from "./records.ts";

/** An event may be listed before it can be read: so long, in milliseconds, a missing one may still come. */
const READABLE_MS = 3_600_000;

/** The records of an event, or why it could not be had. */
export type FetchedEvent = { arrivals: Arrival[] } | EventTrouble;

export interface EventTrouble {
  trouble: Trouble;
  /** A failure of the service or the network, which says nothing about the event. */
  temporary: boolean;
  /** A later run may get it, so that the cursor must not pass it. */
  mayStillCome: boolean;
}

/** Fetches one event. @throws ArchiveError that stops the run, and the reason of `signal` */
export const fetchEvent = async (
  eventBridge: Pick<EventBridge, "event">,
  bus: string,
  { id, source, receivedAt }: TracedEvent,
  now: Date,
  signal: AbortSignal,
): Promise<FetchedEvent> => {
  let value: JsonObject | undefined;
  try {
    value = await eventBridge.event({ bus, source, id }, signal);
    const { arrivals } = chatEvents(value);
    if (arrivals.length !== 1 || arrivals[0]?.record.id !== id)
      throw new InvalidDocument("the answer is not the chat log of this event", "OtherEvent");
    return { arrivals };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof ArchiveError) || error.next === "stop") throw error;
    if (error instanceof InvalidDocument) {
      const trouble = { ...troubleFrom(id, "invalid", error), ...(value && { value: cleanEvent(value) }) };
      return { trouble, temporary: false, mayStillCome: false };
    }
    if (error instanceof NotFound) {
      const message =
        "The bus has no such event: it has expired, or this is not an event id (the requestId of a chat log; a session has another id).";
      const isYoung = receivedAt !== undefined && now.getTime() - receivedAt.getTime() < READABLE_MS;
      return { trouble: { ...troubleFrom(id, "missing", error), message }, temporary: false, mayStillCome: isYoung };
    }
    const temporary = error instanceof Unavailable || error instanceof Throttled;
    return { trouble: troubleFrom(id, "failed", error), temporary, mayStillCome: temporary };
  }
};
