import { cleanMeta } from "../../cloud/clean.ts";
import type { Archive } from "../../core/archive.ts";
import { InvalidDocument } from "../../core/errors.ts";
import { GIVE_UP_MS } from "../../core/pull.ts";
import type { Arrival } from "../../core/records.ts";
import { isObject, type JsonObject } from "../../core/transcript.ts";
import { createdAt, messageId, queryArrival, queryLogPages } from "../../sources/query-log.ts";
import { bindEvents } from "../binding.ts";
import { connectEventBridge } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { recordIntake } from "../record-intake.ts";
import type { QueryPullRequest } from "../record-requests.ts";
import { withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";
import {
  type RecordRun,
  recordRun,
  reportEnded,
  type TakeTrouble,
  troubleFrom,
  warnOfSilence,
  withTrouble,
} from "./records.ts";

/** The mark of the last pass that read the log to its end: entries that were created earlier are stored. */
const markOf = (agentName: string | undefined): string =>
  agentName === undefined ? "queries" : `queries:${agentName}`;

/**
Reads the log of natural-language queries into the archive.

The first pass reads the log to its end and leaves a mark. A later pass ends at the first page whose entries are all
stored, are older than the mark minus the lookback, and are older than every entry that was running: but only while the
pages go from new to old, because the service does not document their order. In any other order each pass reads to the
end. An entry that is still running is replaced by its later state.

@throws Refused when the pages do not advance, and errors that end a run: credentials, permission, unreachable service
*/
export const runQueryPull = async (request: QueryPullRequest, context: AppContext): Promise<RecordRun> => {
  const { host, log, progress } = context;
  const { agentName, lookback, refresh } = request;
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts: JsonObject = { ...(agentName !== undefined && { agentName }), ...(refresh && { refresh }) };
  const cloud = await connectEventBridge(request.eventBridge, context);
  const options = { command: "pull queries", facts, writes: true, create: true };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt, closing, ending } = session;
    const eventBridge = await bindEvents(archive, cloud, request, "queries");
    const intake = recordIntake(archive, log, { refresh: refresh === true });
    const end = refresh ? undefined : await endOfPass(archive, agentName, lookback, startedAt);
    let newest: Date | undefined;
    let read = 0;

    const pull = async (takeTrouble: TakeTrouble): Promise<void> => {
      const order = newToOld();
      for await (const page of queryLogPages({
        eventBridge,
        signal: ending,
        ...(agentName !== undefined && { agentName }),
      })) {
        closing.throwIfAborted();
        const arrivals: Arrival[] = [];
        for (const entry of page) {
          try {
            arrivals.push(queryArrival(entry));
          } catch (error) {
            if (!(error instanceof InvalidDocument)) throw error;
            await takeTrouble({
              ...troubleFrom(messageId(entry) ?? "", "invalid", error),
              value: isObject(entry) ? cleanMeta(entry) : entry,
            });
          }
        }
        const ids = arrivals.map(({ record }) => record.id);
        const stored = await archive.recordStates("queries", ids);
        const isKnown = ids.length === page.length && ids.every((id) => stored.get(id) === "final");
        await intake.add(arrivals);
        read += page.length;
        progress.show({ stage: "Reading", done: read, worked: read, troubled: 0 });
        const times = page.map(createdAt);
        for (const at of times) if (at && (newest === undefined || at > newest)) newest = at;
        const isBefore = end !== undefined && times.every((at) => at !== undefined && at < end);
        if (order(times) && page.length > 0 && isKnown && isBefore) return;
      }
    };

    try {
      const { errorFile, strict } = request;
      const onlyNew = !refresh && !strict;
      const troubled = await withTrouble({ source: "queries", errorFile, onlyNew }, context, session, (take) =>
        pull(take).catch(reportEnded(context, intake.counts)),
      );
      const named = agentName === undefined ? "" : ` and --agent-name (${agentName})`;
      const whatToCheck = `check ${cloud.addressFlag}${named}`;
      const silent = await warnOfSilence("queries", read, request, context, archive, whatToCheck);
      // Only a pass that came to its end leaves a mark.
      if (newest !== undefined) await archive.moveCursor(markOf(agentName), earlier(newest, startedAt));
      return await recordRun(archive, facts, {
        records: intake.counts,
        // The log gives whole entries, so nothing is left out that is stored already.
        known: 0,
        troubled,
        silent,
        throttled: cloud.throttled(),
        limited: false,
        ms: host.now().getTime() - startedAt.getTime(),
      });
    } finally {
      progress.stop();
    }
  }).finally(() => cloud.close());
};

/** The time before which entries need not be read again; undefined when the whole log has to be read. */
const endOfPass = async (
  archive: Archive,
  agentName: string | undefined,
  lookback: number,
  now: Date,
): Promise<Date | undefined> => {
  // A pass over all agents covers each of them.
  const marks = await Promise.all(
    [...new Set([markOf(undefined), markOf(agentName)])].map((name) => archive.cursor(name)),
  );
  const mark = marks.filter((each) => each !== undefined).toSorted((one, other) => other.getTime() - one.getTime())[0];
  if (mark === undefined) return undefined;
  const running = await archive.earliestRunning("queries", new Date(now.getTime() - GIVE_UP_MS));
  return earlier(new Date(mark.getTime() - lookback * 1000), running);
};

const earlier = (one: Date, other: Date | undefined): Date => (other !== undefined && other < one ? other : one);

/** Tells whether all entries so far came from new to old. */
const newToOld = (): ((times: readonly (Date | undefined)[]) => boolean) => {
  let last: Date | undefined;
  let holds = true;
  return (times) => {
    for (const at of times) {
      if (at === undefined || (last !== undefined && at > last)) holds = false;
      last = at ?? last;
    }
    return holds;
  };
};
