import type { Archive } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import type { TracedEvent } from "../../core/ports.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { CHAT_EVENT } from "../../sources/chat-events.ts";
import { tracedChats } from "../../sources/chat-traces.ts";
import { windowsOf } from "../../sources/ranges.ts";
import { bindEvents } from "../binding.ts";
import { connectEventBridge } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import type { ChatPullRequest } from "../record-requests.ts";
import { idsOf, namesIds, timesOf } from "../selection/selection.ts";
import { existingArchive, knownBy } from "./fetch.ts";

// Which events a pull of chats takes, and which of them the archive has.

/** A range of time; `until` is exclusive. */
export type Times = { since: Date; until: Date };

/** The cursor of a bus: all events that it received earlier are stored. */
export const cursorOf = (bus: string): string => `chats:${bus}`;

/** Undefined for a selection by id. @throws UsageError */
export const timesOfRequest = async (request: ChatPullRequest, context: AppContext): Promise<Times | undefined> => {
  const { since, until, bus } = request;
  if (namesIds(request)) {
    if (since !== undefined || until !== undefined)
      throw new UsageError("Select chat events by id, or by --since and --until, not both.");
    return undefined;
  }
  if (since === undefined)
    throw new UsageError(
      "Nothing is selected. Name event ids, or use --since, for example --since 2025-08-01, --since 7d, or --since last.",
    );
  return timesOf(request, context.host, { cursor: cursorOf(bus), name: `the bus ${bus}` }, knownBy(request, context));
};

/** The selection, for the record of the run. */
export const factsOf = (
  { bus, ids, idsFile, since, limit, refresh }: ChatPullRequest,
  times: Times | undefined,
): JsonObject => ({
  bus,
  ...(ids?.length && { ids: [...ids] }),
  ...(idsFile !== undefined && { idsFile }),
  ...(times && {
    since: since === "last" ? "last" : times.since.toISOString(),
    until: times.until.toISOString(),
  }),
  ...(limit && { limit }),
  ...(refresh && { refresh }),
});

export async function* namedEvents(ids: AsyncIterable<string>): AsyncGenerator<TracedEvent[]> {
  for await (const id of ids) yield [{ id, ...CHAT_EVENT }];
}

/** The events that the archive does not have, in batches; between them, the numbers of those that it has. */
export async function* newEvents(
  archive: Pick<Archive, "recordStates"> | undefined,
  { refresh }: Pick<ChatPullRequest, "refresh">,
  batches: AsyncIterable<TracedEvent[]>,
): AsyncGenerator<TracedEvent[] | number> {
  for await (const batch of batches) {
    const ids = batch.map(({ id }) => id);
    const stored = refresh ? undefined : await archive?.recordStates("chats", ids);
    const fresh = batch.filter(({ id }) => !stored?.has(id));
    yield batch.length - fresh.length;
    yield fresh;
  }
}

/** What a pull of chats would do. */
export interface ChatPlan {
  /** Events that the trace lists. */
  listed: number;
  /** How many of those are stored already. */
  known: number;
}

/** Counts what a pull of chats would request, and changes nothing. */
export const planChatPull = async (request: ChatPullRequest, context: AppContext): Promise<ChatPlan> => {
  const times = await timesOfRequest(request, context);
  const cloud = await connectEventBridge({ ...request.eventBridge, concurrency: request.concurrency }, context);
  const archive = await existingArchive(request, context);
  let listed = 0;
  let known = 0;
  try {
    if (archive) await bindEvents(archive, cloud, request, "chats");
    const { bus } = request;
    const count = async (batches: AsyncIterable<TracedEvent[]>): Promise<void> => {
      for await (const batch of newEvents(archive, request, batches)) {
        if (typeof batch === "number") known += batch;
        listed += typeof batch === "number" ? batch : batch.length;
      }
    };
    if (times === undefined) await count(namedEvents(idsOf(request, context.host)(() => undefined)));
    else
      for (const window of windowsOf(times, context.host.now(), false))
        await count(tracedChats({ eventBridge: cloud.eventBridge, bus, window, signal: context.ending }));
    return { listed, known };
  } finally {
    await archive?.close();
    await cloud.close();
  }
};
