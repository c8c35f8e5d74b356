import { GivenUp } from "../../core/errors.ts";
import { inBatches } from "../../core/flow/batches.ts";
import { forEachConcurrent } from "../../core/flow/pool.ts";
import type { TracedEvent } from "../../core/ports.ts";
import type { Arrival, Window } from "../../core/records.ts";
import { tracedChats } from "../../sources/chat-traces.ts";
import { windowsOf } from "../../sources/ranges.ts";
import { bindEvents } from "../binding.ts";
import { connectEventBridge } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { recordIntake } from "../record-intake.ts";
import type { ChatPullRequest } from "../record-requests.ts";
import { askedTimes, idsOf } from "../selection/selection.ts";
import { withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";
import { fetchEvent } from "./chat-fetch.ts";
import { cursorOf, factsOf, namedEvents, newEvents, type Times, timesOfRequest } from "./chat-selection.ts";
import { MARGIN_MS } from "./fetch.ts";
import { type RecordRun, recordRun, reportEnded, type TakeTrouble, warnOfSilence, withTrouble } from "./records.ts";

/** The run ends after this many events in a row failed with a temporary error. */
const MOST_FAILURES = 20;
/** Events of one commit, and the bytes that end it earlier. */
const BATCH = { maxCount: 200, maxSize: 4 * 1024 * 1024, maxDelayMs: 250 };

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
    let known = 0;
    let requested = 0;
    let failuresInRow = 0;
    let troubled = 0;

    const commits = inBatches<Arrival>({
      ...BATCH,
      write: (arrivals) => intake.add(arrivals),
      sizeOf: ({ record }) => JSON.stringify(record.data).length,
    });

    const pull = async (takeTrouble: TakeTrouble): Promise<void> => {
      /** Fetches events. Resolves to whether all of them are stored, or will never be. */
      const fetchAll = async (events: AsyncIterable<TracedEvent>): Promise<boolean> => {
        let settled = true;
        await forEachConcurrent(
          events,
          request.concurrency,
          async (event) => {
            const result = await fetchEvent(eventBridge, bus, event, now(), ending);
            failuresInRow = "trouble" in result && result.temporary ? failuresInRow + 1 : 0;
            if (!("trouble" in result)) for (const arrival of result.arrivals) await commits.add(arrival);
            else {
              troubled += 1;
              if (result.mayStillCome) settled = false;
              await takeTrouble(result.trouble);
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
      let advances = true;
      for (const window of windowsOf(times, now(), request.since === "last")) {
        if (requested >= limit || closing.aborted) break;
        const traced = tracedChats({ eventBridge, bus, window, signal: ending });
        advances = (await fetchAll(limited(newEvents(archive, request, traced)))) && advances;
        await commits.flush();
        // What one window lacks does not stop the next ones, but the cursor.
        if (advances && requested < limit && !closing.aborted) await advance(window, times);
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
      // What was fetched is kept, whatever ends the run.
      const work = (take: TakeTrouble): Promise<void> =>
        pull(take)
          .finally(() => commits.flush())
          .then(() => closing.throwIfAborted())
          .catch(reportEnded(context, intake.counts));
      const { errorFile } = request;
      const onlyNew = request.since === "last" && !request.strict;
      const reported = await withTrouble({ source: "chats", errorFile, onlyNew }, context, session, work);
      const whatToCheck = `check --bus (${bus}), ${cloud.addressFlag}, and the event rule`;
      const listed = requested + known;
      const isSilent =
        times !== undefined && (await warnOfSilence("chats", listed, request, context, archive, whatToCheck));
      return await recordRun(archive, facts, {
        records: intake.counts,
        known,
        troubled: reported,
        silent: isSilent,
        throttled: cloud.throttled(),
        limited: requested >= limit,
        ms: now().getTime() - startedAt.getTime(),
      });
    } finally {
      progress.stop();
    }
  }).finally(() => cloud.close());
};
