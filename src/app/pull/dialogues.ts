import type { Archive } from "../../core/archive.ts";
import {
  ArchiveError,
  GivenUp,
  InvalidDocument,
  NotFound,
  Throttled,
  Unavailable,
  UsageError,
} from "../../core/errors.ts";
import { inBatches } from "../../core/flow/batches.ts";
import { forEachConcurrent } from "../../core/flow/pool.ts";
import type { Arrival, Outcome, StoredConversation } from "../../core/records.ts";
import { isStandIn } from "../../core/stand-in.ts";
import { isObject, type JsonObject } from "../../core/transcript.ts";
import { callFacts } from "../../parse/call-meta.ts";
import { textual } from "../../parse/values.ts";
import { dialogueArrival } from "../../sources/dialogues.ts";
import { dialoguePages } from "../../sources/session-dialogues.ts";
import { bindArchive } from "../binding.ts";
import { connect } from "../cloud.ts";
import type { AppContext } from "../context.ts";
import { recordIntake } from "../record-intake.ts";
import type { DialoguePullRequest } from "../record-requests.ts";
import { storedFilter } from "../selection/selection.ts";
import { withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";
import {
  type FindSession,
  namedSessions,
  noDialogues,
  sessionsOfCalls,
  spanOf,
  upTo,
  type WantedSession,
} from "./dialogue-sessions.ts";
import { type RecordRun, recordRun, reportEnded, type TakeTrouble, troubleFrom, withTrouble } from "./records.ts";

/** The run ends after this many sessions in a row failed with a temporary error. */
const MOST_FAILURES = 20;
/** Dialogues of one commit, and the bytes that end it earlier. */
const BATCH = { maxCount: 500, maxSize: 4 * 1024 * 1024, maxDelayMs: 250 };

/** A call with dialogues began at most so long before them, in milliseconds. */
const LONGEST_CALL_MS = 86_400_000;

/** How a pull of dialogues came out. */
export interface DialogueRun extends RecordRun {
  sessions: {
    listed: number;
    /** Calls whose session was not listed, because nothing new can be expected of it. */
    known: number;
  };
}

/**
Reads the dialogues of sessions into the archive: of named ones, or of those of the calls in the archive.

What was said in a call becomes a part of the call, once the archive has it and knows its times; the rest of a session is a
conversation of its own.

@throws UsageError for an invalid selection, and errors that end a run: credentials, permission, unreachable service
*/
export const runDialoguePull = async (request: DialoguePullRequest, context: AppContext): Promise<DialogueRun> => {
  const { host, log, progress } = context;
  checkSelection(request);
  storedFilter(request, host);
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts = factsOf(request);
  const cloud = await connect(request, context);
  const create = request.fromArchive !== true;
  const options = { command: "pull dialogues", facts, writes: true, create };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt, closing, ending } = session;
    const ims = await bindArchive(archive, cloud, request);
    await archive.indexSessions();
    const intake = recordIntake(archive, log, { refresh: request.refresh === true });
    const { limit = Number.POSITIVE_INFINITY } = request;
    let known = 0;
    let listed = 0;
    let troubled = 0;
    let failuresInRow = 0;

    // Written before the first dialogues are: they are then added to the call at once.
    const described = inBatches<Outcome>({
      ...BATCH,
      write: async (outcomes) => void (await archive.commit(outcomes)),
      sizeOf: ({ meta }) => JSON.stringify(meta ?? {}).length,
    });
    const running = new Set<string>();

    const pull = async (takeTrouble: TakeTrouble): Promise<void> => {
      const take: TakeTrouble = async (trouble) => {
        troubled += 1;
        await takeTrouble(trouble);
      };
      const found = request.fromArchive
        ? sessionsOfCalls(request, context, archive, (call) => describe(call, take))
        : namedSessions(request);
      const work = async (find: FindSession): Promise<void> => {
        const wanted = await find();
        if (wanted === undefined || running.has(wanted.sessionId)) return;
        if (await isListed(wanted)) {
          known += 1;
          return;
        }
        if (listed >= limit) return;
        listed += 1;
        running.add(wanted.sessionId);
        await attempt(wanted.sessionId, take, () => readSession(wanted, take));
        running.delete(wanted.sessionId);
        progress.show({ stage: "Listing", done: listed + known, worked: listed, troubled });
      };
      await forEachConcurrent(
        upTo(found, () => listed < limit),
        request.concurrency,
        work,
        closing,
      ).finally(() => described.flush());
    };

    /** Takes the error of one item; too many temporary errors in a row end the run. */
    const attempt = async (id: string, take: TakeTrouble, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
        failuresInRow = 0;
      } catch (error) {
        if (ending.aborted) throw ending.reason;
        if (!(error instanceof ArchiveError) || error.next === "stop") throw error;
        await take(troubleFrom(id, error instanceof NotFound ? "missing" : "failed", error));
        failuresInRow = error instanceof Unavailable || error instanceof Throttled ? failuresInRow + 1 : 0;
        if (failuresInRow >= MOST_FAILURES)
          throw new GivenUp(`${MOST_FAILURES} requests in a row failed. Run the same command again later.`);
      }
    };

    /** A call that was only listed is described, because lists do not name sessions. */
    const describe = async (call: StoredConversation, take: TakeTrouble): Promise<JsonObject | undefined> => {
      const { sessionId, endedBy } = callFacts(call.meta);
      if ((sessionId !== undefined && endedBy !== undefined) || call.state !== "fetched" || isStandIn(call.id))
        return call.meta;
      let meta = call.meta;
      await attempt(call.id, take, async () => {
        const instance = await ims.describeInstance(call.id, ending);
        meta = { ...meta, ...instance.meta };
        await described.add({ item: call.item, state: "fetched", status: instance.status, meta: instance.meta });
      });
      return meta;
    };

    /** Stores all dialogues of a session, then notes that it was listed. */
    const readSession = async ({ sessionId }: WantedSession, take: TakeTrouble): Promise<void> => {
      const { start, end, isWhole } = spanOf(request, host, startedAt);
      let read = 0;
      const spokenAt: number[] = [];
      const commits = inBatches<Arrival>({
        ...BATCH,
        write: async (arrivals) => {
          await described.flush();
          await intake.add(arrivals);
        },
        sizeOf: ({ record }) => JSON.stringify(record.data).length,
      });
      try {
        for await (const page of dialoguePages({ ims, sessionId, start, end, signal: ending }))
          for (const dialogue of page)
            try {
              read += 1;
              const arrival = dialogueArrival(sessionId, dialogue);
              if (arrival.record.inCall && arrival.record.at) spokenAt.push(arrival.record.at.getTime());
              await commits.add(arrival);
            } catch (error) {
              if (!(error instanceof InvalidDocument)) throw error;
              const id = isObject(dialogue) ? (textual(dialogue.DialogueId) ?? "") : "";
              await take(troubleFrom(`${sessionId}/${id}`, "invalid", error));
            }
      } finally {
        await commits.flush();
      }
      if (!request.fromArchive) await describeCallsAt(spokenAt, take);
      if (isWhole) await archive.setSessionListed(sessionId, startedAt);
      if (read === 0 && !request.fromArchive && !request.allowEmpty) await take(noDialogues(sessionId, request));
    };

    /** Calls of that time that were only listed may be of the session: only describe says so. */
    const describeCallsAt = async (spokenAt: readonly number[], take: TakeTrouble): Promise<void> => {
      if (spokenAt.length === 0) return;
      const first = spokenAt.reduce((least, at) => Math.min(least, at));
      const last = spokenAt.reduce((most, at) => Math.max(most, at));
      const calls = callsIn(archive, new Date(first - LONGEST_CALL_MS), new Date(last + 1));
      await forEachConcurrent(calls, request.concurrency, async (call) => void (await describe(call, take)), closing);
      await described.flush();
    };

    /** Whether nothing new can be expected of a session. One of several calls comes once for each of them. */
    const isListed = async ({ sessionId, settledAt }: WantedSession): Promise<boolean> => {
      const at = request.refresh ? undefined : await archive.sessionListedAt(sessionId);
      return at !== undefined && (at >= startedAt || (settledAt !== undefined && at >= settledAt));
    };

    try {
      const { errorFile, strict } = request;
      const onlyNew = request.fromArchive === true && !strict;
      const reported = await withTrouble({ source: "dialogues", errorFile, onlyNew }, context, session, (take) =>
        pull(take)
          .then(() => closing.throwIfAborted())
          .catch(reportEnded(context, intake.counts)),
      );
      const run = await recordRun(
        archive,
        { ...facts, listed, knownCalls: known },
        {
          records: intake.counts,
          known: 0,
          troubled: reported,
          silent: warnOfNone(request, listed + known, context),
          throttled: cloud.throttled(),
          limited: listed >= limit,
          ms: host.now().getTime() - startedAt.getTime(),
        },
      );
      return { ...run, sessions: { listed, known } };
    } finally {
      progress.stop();
    }
  }).finally(() => cloud.close());
};

/** @throws UsageError */
const checkSelection = ({ sessions = [], fromArchive, agents, archive }: DialoguePullRequest): void => {
  if (fromArchive && archive === false) throw new UsageError("--from-archive needs an archive.");
  if (fromArchive && sessions.length > 0) throw new UsageError("Name sessions, or use --from-archive, not both.");
  if (!fromArchive && sessions.length === 0)
    throw new UsageError(
      "Nothing is selected. Name sessions with --session, or take those of the calls in the archive: --from-archive.",
    );
  if (!fromArchive && agents?.length) throw new UsageError("--agent goes with --from-archive: it selects calls.");
};

const factsOf = ({ sessions, fromArchive, agents, since, until, limit, refresh }: DialoguePullRequest): JsonObject => ({
  ...(sessions?.length && { sessions: [...sessions] }),
  ...(fromArchive && { fromArchive }),
  ...(agents?.length && { agents: [...agents] }),
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
  ...(limit && { limit }),
  ...(refresh && { refresh }),
});

/** Warns if no session was found. Returns whether that makes the run `partial`. */
const warnOfNone = (
  { fromArchive, allowEmpty }: DialoguePullRequest,
  found: number,
  { log }: Pick<AppContext, "log">,
): boolean => {
  if (!fromArchive || found > 0) return false;
  log("warn", "no-sessions", { message: "No call of the selection names a session." });
  return allowEmpty !== true;
};

/** The stored calls that began in a range of time. */
async function* callsIn(archive: Pick<Archive, "list">, since: Date, until: Date): AsyncGenerator<StoredConversation> {
  const filter = { sources: ["calls"] as const, states: ["fetched"] as const, since, until };
  for await (const batch of archive.list(filter, { documents: true, tolerant: true })) yield* batch;
}
