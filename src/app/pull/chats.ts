import type { Archive } from "../../core/archive.ts";
import {
  ArchiveError,
  GivenUp,
  InvalidDocument,
  messageOf,
  NotFound,
  Throttled,
  Unavailable,
  UsageError,
} from "../../core/errors.ts";
import { inBatches } from "../../core/flow/batches.ts";
import { forEachConcurrent } from "../../core/flow/pool.ts";
import type { EventBridge, TracedEvent } from "../../core/ports.ts";
import type { Arrival, Window } from "../../core/records.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { CHAT_EVENT, chatEvents } from "../../sources/chat-events.ts";
import { tracedChats } from "../../sources/chat-traces.ts";
import { windowsOf } from "../../sources/ranges.ts";
import { bindEvents } from "../binding.ts";
import { connectEventBridge } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { recordIntake } from "../record-intake.ts";
import type { ChatPullRequest } from "../requests.ts";
import { askedTimes, idsOf, namesIds, timesOf } from "../selection/selection.ts";
import { withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";
import { existingArchive, knownBy, MARGIN_MS } from "./fetch.ts";
import { type RecordRun, recordRun, type Trouble, troubleFrom, withTrouble } from "./records.ts";

/** An event may be listed before it can be read: so long, in milliseconds, a missing one holds back the cursor. */
const READABLE_MS = 3_600_000;
/** The run ends after this many events in a row failed with a temporary error. */
const MOST_FAILURES = 20;
/** Events of one commit, and the bytes that end it earlier. */
const BATCH = { maxCount: 200, maxSize: 4 * 1024 * 1024, maxDelayMs: 250 };

/** What a pull of chats would do. */
export interface ChatPlan {
  /** Events that the trace lists. */
  listed: number;
  /** How many of those are stored already. */
  known: number;
}

type Times = { since: Date; until: Date };

/** The cursor of a bus: all events that it received earlier are stored. */
const cursorOf = (bus: string): string => `chats:${bus}`;

/**
Reads chat logs from the trace of an event bus into the archive: by event id, or all that the bus received in a range.

An event that the archive has is not requested again. Windows are read in order, and the cursor moves after each of them,
so a run that was ended continues where it was.

@throws UsageError for an invalid selection, and errors that end a run: credentials, permission, unreachable service
*/
export const runChatPull = async (request: ChatPullRequest, context: AppContext): Promise<RecordRun> => {
  const { host, log, progress } = context;
  const { now } = host;
  const times = await timesOfRequest(request, context);
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts = factsOf(request, times);
  const asked = askedTimes(request);
  const cloud = await connectEventBridge({ ...request.eventBridge, concurrency: request.concurrency }, context);
  const options = { command: "pull chats", facts, writes: true, create: true, asked };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt, closing, ending } = session;
    const eventBridge = await bindEvents(archive, cloud, request, "chats");
    const intake = recordIntake(archive, log, { refresh: request.refresh === true });
    const { bus, limit = Number.POSITIVE_INFINITY } = request;
    const before = await archive.cursor(cursorOf(bus));
    let known = 0;
    let requested = 0;
    let failuresInRow = 0;
    let troubled = 0;

    const commits = inBatches<Arrival>({
      ...BATCH,
      write: (arrivals) => intake.add(arrivals),
      sizeOf: ({ record }) => JSON.stringify(record.data).length,
    });

    const pull = async (takeTrouble: (trouble: Trouble) => Promise<void>): Promise<void> => {
      /** Fetches events. Resolves to whether all of them are stored, or will never be. */
      const fetchAll = async (events: AsyncIterable<TracedEvent>): Promise<boolean> => {
        let settled = true;
        await forEachConcurrent(
          events,
          request.concurrency,
          async (event) => {
            const result = await fetchOne(eventBridge, bus, event, ending);
            failuresInRow = "trouble" in result && result.temporary ? failuresInRow + 1 : 0;
            if (!("trouble" in result)) for (const arrival of result.arrivals) await commits.add(arrival);
            else {
              const { trouble, temporary } = result;
              troubled += 1;
              const age = event.receivedAt === undefined ? 0 : now().getTime() - event.receivedAt.getTime();
              if (temporary || (trouble.state === "missing" && age < READABLE_MS)) settled = false;
              // The run that moved the cursor over an event has reported it.
              const isNew = event.receivedAt === undefined || before === undefined || event.receivedAt >= before;
              if (isNew) await takeTrouble(trouble);
              else log("debug", trouble.state, { id: trouble.id, code: trouble.code });
            }
            progress.show({ stage: "Fetching", done: requested + known, worked: requested, troubled });
            if (failuresInRow >= MOST_FAILURES)
              throw new GivenUp(`${MOST_FAILURES} events in a row failed. Run the same command again later.`);
          },
          closing,
        );
        return settled;
      };

      if (times === undefined) {
        const unreadable: string[] = [];
        await fetchAll(
          limited(
            newEvents(archive, request, namedEvents(idsOf(request, host)((message) => unreadable.push(message)))),
          ),
        );
        for (const message of unreadable) await takeTrouble({ id: "", state: "invalid", code: "BadId", message });
        return;
      }
      for (const window of windowsOf(times, now(), request.since === "last")) {
        if (requested >= limit || closing.aborted) break;
        const traced = tracedChats({ eventBridge, bus, window, signal: ending });
        const isSettled = await fetchAll(limited(newEvents(archive, request, traced)));
        await commits.flush();
        if (!isSettled || requested >= limit || closing.aborted) break;
        await advance(window, times);
      }
    };

    async function* limited(batches: AsyncIterable<TracedEvent[] | number>): AsyncGenerator<TracedEvent> {
      for await (const batch of batches) {
        if (typeof batch === "number") known += batch;
        else
          for (const event of batch) {
            if (requested >= limit) return;
            requested += 1;
            yield event;
          }
      }
    }

    /** Moves the cursor to the end of a window, if nothing before it was left out. */
    const advance = async ({ end }: Window, { since, until }: Times): Promise<void> => {
      const cursor = await archive.cursor(cursorOf(bus));
      if (cursor !== undefined && since > cursor) return;
      const latest = Math.min(end.getTime(), until.getTime(), startedAt.getTime() - MARGIN_MS);
      // Even if nothing is settled, the next run needs a cursor to continue from.
      await archive.moveCursor(cursorOf(bus), new Date(Math.max(latest, since.getTime())));
    };

    try {
      const reported = await withTrouble(request, context, session, (takeTrouble) =>
        // What was fetched is kept, whatever ends the run.
        pull(takeTrouble).finally(() => commits.flush()),
      );
      closing.throwIfAborted();
      return await recordRun(archive, facts, {
        records: intake.counts,
        known,
        troubled: reported,
        throttled: cloud.throttled(),
        limited: requested >= limit,
        ms: now().getTime() - startedAt.getTime(),
      });
    } finally {
      progress.stop();
    }
  }).finally(() => cloud.close());
};

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

/** Undefined for a selection by id. @throws UsageError */
const timesOfRequest = async (request: ChatPullRequest, context: AppContext): Promise<Times | undefined> => {
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

const factsOf = (
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

async function* namedEvents(ids: AsyncIterable<string>): AsyncGenerator<TracedEvent[]> {
  for await (const id of ids) yield [{ id, ...CHAT_EVENT }];
}

/** The events that the archive does not have, in batches; between them, the numbers of those that it has. */
async function* newEvents(
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

type Fetched = { arrivals: Arrival[] } | { trouble: Trouble; temporary: boolean };

/** One event. @throws ArchiveError that stops the run, and the reason of `signal` */
const fetchOne = async (
  eventBridge: Pick<EventBridge, "event">,
  bus: string,
  { id, source }: TracedEvent,
  signal: AbortSignal,
): Promise<Fetched> => {
  let value: JsonObject | undefined;
  try {
    value = await eventBridge.event({ bus, source, id }, signal);
    const { arrivals } = chatEvents(value);
    if (arrivals.length !== 1 || arrivals[0]?.record.id !== id)
      throw new InvalidDocument("the answer is not the chat log of this event", "OtherEvent");
    return { arrivals };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!(error instanceof ArchiveError)) throw error;
    if (error.next === "stop") throw error;
    if (error instanceof InvalidDocument)
      return { trouble: { ...troubleFrom(id, "invalid", error), ...(value && { value }) }, temporary: false };
    if (error instanceof NotFound)
      return {
        trouble: {
          ...troubleFrom(id, "missing", error),
          message: `The bus no longer has this event, or never had it: ${messageOf(error)}`,
        },
        temporary: false,
      };
    return {
      trouble: troubleFrom(id, "failed", error),
      temporary: error instanceof Unavailable || error instanceof Throttled,
    };
  }
};
