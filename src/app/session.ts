import type { Archive, RunRecord, Runs } from "../core/archive.ts";
import { sumOf } from "../core/counts.ts";
import { messageOf, NoArchive } from "../core/errors.ts";
import type { Inbox } from "../core/inbox.ts";
import { type Lockable, LockLost } from "../core/lock.ts";
import type { JsonObject } from "../core/transcript.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import type { AppContext, RunOutcome } from "./context.ts";
import { takeLock } from "./locking.ts";
import { type Figures, writeMetrics } from "./metrics/metrics.ts";
import { type Standing, standingOf } from "./metrics/standing.ts";
import { drainInbox, hasInbox, inboxOf, RECEIVER_WAIT } from "./receive/inbox.ts";
import type { ArchiveRequest, RunRequest } from "./requests.ts";
import { startFacts } from "./run-start.ts";
import { scrub } from "./scrub.ts";
import { VERSION } from "./version.ts";
import { checkFileWritable } from "./writable.ts";

/** How often a run renews its lock, in milliseconds. */
const RENEW_MS = 15_000;

/** A run on an archive. If it writes, it is the only writer. */
export interface Session {
  archive: Archive;
  startedAt: Date;
  /** Aborted by the first signal or at --max-duration: start nothing new, finish running work. */
  closing: AbortSignal;
  /** Aborted when stopping takes too long: end at once. */
  ending: AbortSignal;
}

/** The result of a run, with the details for its record and its metrics. */
export interface RunResult {
  outcome: RunOutcome;
  detail: JsonObject;
  figures?: Figures;
  /** The run finished and reported all missing, invalid and failed calls of its selection; later runs need not. */
  reported?: true;
}

export interface SessionOptions {
  /** The command's name, for the record of the run. */
  command: string;
  /** The selection and options, for the record of the run. */
  facts: JsonObject;
  /** False for work that only reads: it does not wait for another run, and leaves no record. */
  writes: boolean;
  /** Create the archive if there is none. */
  create: boolean;
  /** Times as they were written ("7d"), to compare runs: the instants differ in every run. */
  asked?: JsonObject;
  /** `work` scrubs the archive itself, so the session does not. */
  scrubs?: boolean;
  /** Where the data goes, for the start line. */
  output?: string;
  /** Called before an archive is created. If it throws, no archive is created. */
  beforeCreation?: () => Promise<unknown>;
}

/**
Runs `work` on the archive, as its only writer if it writes.

@throws ArchiveBusy if another run holds the archive; the reason of `closing` if it was stopped; the error of `work`
*/
export const withSession = async <T extends RunResult>(
  request: ArchiveRequest & RunRequest,
  context: AppContext,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const { host, log, exitCodes } = context;
  const { command, writes, asked } = options;
  const facts = asked ? { ...options.facts, asked } : options.facts;
  if (writes) checkFileWritable(request.metricsFile, "--metrics-file", host);
  const startedAt = host.now();
  const stop = stopSignals(context);
  const record = new RunReport(request, { ...context, ...stop }, command, startedAt);
  log("info", "start", { version: VERSION, command, ...startFacts(facts, request.archive, options.output) });
  try {
    const archive = await open(request, { host, log, closing: stop.closing }, options).catch(async (error: unknown) => {
      if (writes) await record.writeMetrics(exitCodes.of({ error }));
      throw error;
    });
    let renewal: NodeJS.Timeout | undefined;
    let run: number | undefined;
    let end = { exitCode: exitCodes.of({ outcome: "failed" }), detail: facts } as RunEnd;
    try {
      if (writes && request.archive !== false) {
        const wait = Math.max(request.wait ?? 0, hasInbox(request.archive, host) ? RECEIVER_WAIT : 0);
        await takeLock(archive.acquire, { host, log, closing: stop.closing }, wait);
        renewal = setInterval(() => void archive.renew().catch(stop.lockLost), RENEW_MS).unref();
        reportDifference(await archive.lastRuns(), command, facts, context);
        // An earlier run may have deleted calls without removing their bytes from the file.
        if (!options.scrubs) await scrub(archive, request.archive, { host, log });
        await takeReceived(archive, request.archive, { ...context, ...stop }, options.scrubs === true);
        run = await archive.beginRun({
          command,
          version: VERSION,
          startedAt: startedAt.toISOString(),
          detail: { ...facts, runId: host.runId },
        });
      }
      const result = await work({ archive, startedAt, closing: stop.closing, ending: stop.ending });
      end = { exitCode: exitCodes.of(result), ...result };
      return result;
    } catch (error) {
      // Errors while stopping are consequences: the reason for stopping is reported.
      const reason: unknown = stop.closing.aborted ? stop.closing.reason : error;
      end = { exitCode: exitCodes.of({ error: reason }), detail: { ...facts, error: messageOf(reason) } };
      throw reason;
    } finally {
      clearInterval(renewal);
      await record.close(archive, run, end);
      if (writes) await record.writeMetrics(end.exitCode, end.figures);
    }
  } finally {
    stop.done();
  }
};

/**
Moves what a receiver has stored into the archive, so that every run works on all that has arrived.

@param mustSucceed the run deletes conversations, so it also has to delete what has arrived of them. Other runs log an error
*/
const takeReceived = async (
  archive: Archive,
  place: string,
  { host, log, closing }: AppContext,
  mustSucceed: boolean,
): Promise<void> => {
  const check = (): boolean => {
    closing.throwIfAborted();
    return false;
  };
  let inbox: Inbox | undefined;
  try {
    inbox = await inboxOf(place, host);
    if (!inbox) return;
    const { clean, ...counts } = await drainInbox(inbox, archive, log, check);
    if (sumOf(counts) > 0) log("info", "drained", counts);
    if (!clean && mustSucceed) throw new Error("another process is using it");
  } catch (error) {
    closing.throwIfAborted();
    const message = `The records in ${place}.inbox could not be moved into the archive: ${messageOf(error)}`;
    if (error instanceof LockLost) throw error;
    if (mustSucceed) throw new Error(message, { cause: error });
    log("error", "not-drained", { message });
  } finally {
    await inbox?.close();
  }
};

type RunEnd = { exitCode: number } & Omit<RunResult, "outcome">;

/** Writes the record and the metrics of a run at its end. Its errors are logged, because they must not hide the result. */
class RunReport {
  #standing: Standing | undefined;
  readonly #request: ArchiveRequest & RunRequest;
  readonly #context: AppContext;
  readonly #command: string;
  readonly #startedAt: Date;

  constructor(request: ArchiveRequest & RunRequest, context: AppContext, command: string, startedAt: Date) {
    this.#request = request;
    this.#context = context;
    this.#command = command;
    this.#startedAt = startedAt;
  }

  /** Records the end, gives the lock back and closes the archive. */
  async close(
    archive: Runs & Lockable & { close(): Promise<void> },
    run: number | undefined,
    { exitCode, detail, reported }: RunEnd,
  ): Promise<void> {
    const { host, log } = this.#context;
    try {
      if (run !== undefined)
        await archive.endRun(run, {
          endedAt: host.now().toISOString(),
          exitCode,
          detail: { ...detail, runId: host.runId },
          ...(reported && { reported: true }),
        });
      await archive.release();
    } catch (error) {
      log("error", "not-recorded", { message: `The end of the run could not be recorded: ${messageOf(error)}` });
    }
    if (this.#request.metricsFile !== undefined)
      this.#standing = await standingOf(archive, this.#request, host, this.#command);
    await archive.close();
  }

  async writeMetrics(exitCode: number, figures?: Figures): Promise<void> {
    try {
      const all = { figures, retries: this.#context.retries, standing: this.#standing };
      await writeMetrics(this.#request.metricsFile, this.#context, this.#command, this.#startedAt, exitCode, all);
    } catch (error) {
      const message = `The metrics file could not be written: ${messageOf(error)}`;
      this.#context.log("error", "not-recorded", { message });
    }
  }
}

const open = async (
  request: ArchiveRequest & RunRequest,
  context: ArchiveContext,
  { create, beforeCreation }: SessionOptions,
): Promise<Archive> => {
  if (!create || !beforeCreation) return archiveOf(request, context, create);
  try {
    return await archiveOf(request, context, false);
  } catch (error) {
    if (!(error instanceof NoArchive)) throw error;
    await beforeCreation();
    return archiveOf(request, context, true);
  }
};

/** The signals of the caller, combined with the loss of the lock: after that nothing may be written. */
const stopSignals = ({ closing: outer, ending: outerEnding }: AppContext) => {
  const closing = new AbortController();
  const ending = new AbortController();
  const close = (): void => closing.abort(outer.reason);
  const end = (): void => ending.abort(outerEnding.reason);
  if (outer.aborted) close();
  if (outerEnding.aborted) end();
  outer.addEventListener("abort", close, { once: true });
  outerEnding.addEventListener("abort", end, { once: true });
  return {
    closing: closing.signal,
    ending: ending.signal,
    lockLost: (): void => {
      const lost = new LockLost("Another run took over the archive, because this run did not renew its lock in time.");
      closing.abort(lost);
      ending.abort(lost);
    },
    done: (): void => {
      outer.removeEventListener("abort", close);
      outerEnding.removeEventListener("abort", end);
    },
  };
};

const TIMES = new Set(["since", "until"]);

/** Logs if the last run ended early and had another selection, because the user probably meant to repeat it. */
const reportDifference = (
  runs: readonly RunRecord[],
  command: string,
  facts: JsonObject,
  { log, exitCodes }: AppContext,
): void => {
  const last = runs.find((run) => run.command === command);
  const ended = last && exitCodes.earlyEnd(last.exitCode);
  if (!last?.detail || ended === undefined) return;
  const { runId: _, ...before } = last.detail;
  // Times are compared as they were written: "7d" is another instant in every run.
  const changed = Object.keys(facts)
    .filter((key) => !("asked" in facts && TIMES.has(key)))
    .filter((key) => JSON.stringify(facts[key]) !== JSON.stringify(before[key]));
  const gone = Object.keys(before).filter((key) => !(key in facts) && key !== "error" && !TIMES.has(key));
  if (changed.length + gone.length === 0) return;
  const was = Object.fromEntries([...changed, ...gone].map((key) => [key, before[key] ?? null]));
  const is = Object.fromEntries([...changed, ...gone].map((key) => [key, facts[key] ?? null]));
  log("info", "selection-differs", { startedAt: last.startedAt, ended, was, is });
};
