import { setTimeout as delay } from "node:timers/promises";
import type { Archive, RunRecord } from "../../core/archive.ts";
import { messageOf, NoArchive } from "../../core/errors.ts";
import { LockLost, type Owner } from "../../core/lock.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { Input } from "../command.ts";
import { ArchiveBusy, EXIT, type ExitCode, exitCodeOf, Interrupted, TimeUp } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { Talk } from "../log.ts";
import type { StreamContext } from "../open-stream.ts";
import type { ArchiveFlags, RunFlags } from "../options.ts";
import { VERSION } from "../version.ts";
import { archiveOf } from "../wire.ts";
import { checkFileWritable } from "../writable.ts";
import { type Figures, writeMetrics } from "./metrics.ts";
import { scrub } from "./scrubbing.ts";
import { type Standing, standingOf } from "./standing.ts";
import { startFacts } from "./start.ts";

/** How long what is under way may still take after the first signal, in milliseconds. */
const DRAIN_MS = 30_000;
const RENEW_MS = 15_000;
/** What a timer can wait, in milliseconds: some 24 days. */
const LONGEST_MS = 2 ** 31 - 1;
const LOOK_AGAIN_MS = 500;

/** A run that may write to the archive: alone in doing so, on record, and to be stopped by a signal. */
export interface Session {
  archive: Archive;
  begun: Date;
  /** Aborted by the first signal or when the time is up: take nothing new in, finish what is under way. */
  closing: AbortSignal;
  /** Aborted when that takes too long: end at once. */
  ending: AbortSignal;
}

/** How a run came out: its exit code, what the record of it says, and its figures. */
export interface Came {
  code: ExitCode;
  detail: JsonObject;
  figures?: Figures;
  /** The run finished, and has told of all trouble of its selection: a later one need not. */
  reported?: true;
}

export interface SessionOptions {
  /** What was asked for: in the record of the run from its beginning. */
  facts: JsonObject;
  /** False for work that only reads: it waits for nobody, and leaves no record. */
  writes: boolean;
  /** Make the archive when there is none. */
  create: boolean;
  /** What was asked for in words that mean another time each day: not compared with an earlier run's times. */
  asked?: JsonObject;
  /** `work` scrubs the archive by itself. */
  scrubs?: boolean;
  /** Where the data goes, for the start line. */
  output?: string;
  /** Done before an archive is made: when it throws, none is left behind. */
  beforeCreation?: () => Promise<unknown>;
}

/**
Runs `work` on the archive, as its only writer if it writes.

@throws ArchiveBusy when another run holds it, Interrupted or TimeUp when it was stopped, and what `work` throws
*/
export const withSession = async (
  { flags, io, talk, command }: Input<ArchiveFlags & RunFlags>,
  { facts: resolved, writes, create, asked, scrubs, output, beforeCreation }: SessionOptions,
  work: (session: Session) => Promise<Came>,
): Promise<ExitCode> => {
  const facts = asked ? { ...resolved, asked } : resolved;
  if (writes) checkFileWritable(flags.metricsFile, "--metrics-file", io);
  // Of a command that only reads, a flag of that name may be a filter.
  const stopping = stopper(io, talk, writes ? flags.maxDuration : undefined);
  const begun = io.now();
  talk.begin(command, startFacts(facts, flags.archive, output));
  try {
    const archive = await open(flags, io, create, beforeCreation).catch(async (error: unknown) => {
      const failed = { code: exitCodeOf(error), detail: facts };
      if (writes)
        await tellMachines(flags, io, talk, command, begun, failed, { ...stopping, log: talk.log }, undefined);
      throw error;
    });
    let renewal: NodeJS.Timeout | undefined;
    let run: number | undefined;
    let end: Came = { code: 1, detail: facts };
    try {
      if (writes && flags.archive !== false) {
        await acquire(archive, io, talk, flags.wait ?? 0, stopping.closing);
        renewal = setInterval(() => void archive.renew().catch(() => stopping.end()), RENEW_MS).unref();
        tellDifference(await archive.lastRuns(), command, facts, talk);
        // What an earlier run deleted, but could not take out of the file.
        if (!scrubs) await scrub(archive, flags.archive, talk);
        run = await archive.beginRun({
          command,
          version: VERSION,
          startedAt: begun.toISOString(),
          detail: { ...facts, runId: io.runId },
        });
      }
      end = await work({ archive, begun, closing: stopping.closing, ending: stopping.ending });
      return end.code;
    } catch (error) {
      // Whatever else broke while it was ending, that it was to end is why.
      const reason = stopping.reason() ?? error;
      end = { code: exitCodeOf(reason), detail: { ...facts, error: messageOf(reason) } };
      throw reason;
    } finally {
      clearInterval(renewal);
      let standing: Standing | undefined;
      await close(archive, io, talk, run, end, async () => {
        if (writes && flags.metricsFile !== undefined) standing = await standingOf(archive, flags, io, command);
      });
      if (writes) await tellMachines(flags, io, talk, command, begun, end, { ...stopping, log: talk.log }, standing);
    }
  } finally {
    stopping.done();
  }
};

const open = async (
  flags: ArchiveFlags,
  io: Io,
  create: boolean,
  beforeCreation: SessionOptions["beforeCreation"],
): Promise<Archive> => {
  if (!create || !beforeCreation) return archiveOf(flags, io, create);
  try {
    return await archiveOf(flags, io, false);
  } catch (error) {
    if (!(error instanceof NoArchive)) throw error;
    await beforeCreation();
    return archiveOf(flags, io, true);
  }
};

/** Figures that cannot be written do not change how the run came out. */
const tellMachines = async (
  { metricsFile }: RunFlags,
  io: Io,
  talk: Talk,
  command: string,
  begun: Date,
  { code, figures }: Came,
  context: StreamContext,
  standing: Standing | undefined,
): Promise<void> => {
  try {
    const { retries } = talk;
    await writeMetrics(metricsFile, io, command, begun, code, { figures, retries, standing }, context);
  } catch (error) {
    talk.log("error", "not-recorded", { message: `The metrics file could not be written: ${messageOf(error)}` });
  }
};

/** Nothing here may hide how the run came out. @param look called when the run's end is on record */
const close = async (
  archive: Archive,
  io: Io,
  talk: Talk,
  run: number | undefined,
  end: Came,
  look: () => Promise<void>,
): Promise<void> => {
  try {
    if (run !== undefined)
      await archive.endRun(run, {
        endedAt: io.now().toISOString(),
        exitCode: end.code,
        detail: { ...end.detail, runId: io.runId },
        ...(end.reported && { reported: true }),
      });
    await archive.release();
  } catch (error) {
    talk.log("error", "not-recorded", { message: `The end of the run could not be recorded: ${messageOf(error)}` });
  }
  await look();
  await archive.close();
};

const acquire = async (
  archive: Archive,
  io: Io,
  talk: Talk,
  waitSeconds: number,
  closing: AbortSignal,
): Promise<void> => {
  const processStarted = io.startOf(io.pid);
  const owner: Owner = {
    pid: io.pid,
    host: io.host,
    processSpace: io.processSpace,
    ...(processStarted !== undefined && { processStarted }),
  };
  /** It runs no more, or its id is another process's by now. */
  const isDead = ({ pid, processStarted: began }: Owner): boolean => {
    if (!io.isAlive(pid)) return true;
    const started = io.startOf(pid);
    return began !== undefined && started !== undefined && began !== started;
  };
  const until = io.now().getTime() + waitSeconds * 1000;
  for (let told = false; ; told = true) {
    const holder = await archive.acquire(owner, isDead);
    if (!holder) return;
    if (io.now().getTime() >= until) throw new ArchiveBusy(holder);
    if (!told) talk.log("info", "waiting", { pid: holder.pid, host: holder.host, startedAt: holder.startedAt });
    await delay(LOOK_AGAIN_MS, undefined, { signal: closing }).catch(() => undefined);
    closing.throwIfAborted();
  }
};

/** Signals and the clock, for the length of a run. */
const stopper = (io: Io, talk: Talk, maxSeconds: number | undefined) => {
  const closing = new AbortController();
  const ending = new AbortController();
  let why: Interrupted | TimeUp | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (reason: Interrupted | TimeUp): void => {
    why = reason;
    talk.log("warn", "stopping", { reason: reason.message, drainSeconds: DRAIN_MS / 1000 });
    closing.abort(reason);
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(reason), DRAIN_MS).unref();
  };
  if (maxSeconds !== undefined)
    timer = setTimeout(() => stop(new TimeUp(maxSeconds)), Math.min(maxSeconds * 1000, LONGEST_MS)).unref();
  const deaf = io.onSignal((signal) => {
    if (why instanceof Interrupted) io.exit(why.exitCode);
    else stop(new Interrupted(signal));
  });
  return {
    closing: closing.signal,
    ending: ending.signal,
    reason: () => why,
    /** The lock is lost: nothing more may be written. */
    end: () => {
      const lost = new LockLost("Another run took the archive over, because this one was silent for too long.");
      closing.abort(lost);
      ending.abort(lost);
    },
    done: () => {
      clearTimeout(timer);
      deaf();
    },
  };
};

const TIMES = new Set(["since", "until"]);

/** How a run ended that another one is to go on from. */
const howEnded = ({ exitCode }: RunRecord): string | undefined => {
  if (exitCode === undefined) return "has no end on record";
  if (exitCode === EXIT.timeUp) return "was ended by --max-duration";
  return exitCode === EXIT.interrupted || exitCode === EXIT.terminated ? "was stopped by a signal" : undefined;
};

/** A run that takes up one that ended before its time, but selects something else, is probably a mistake: it is said. */
const tellDifference = (runs: readonly RunRecord[], command: string, facts: JsonObject, talk: Talk): void => {
  const last = runs.find((run) => run.command === command);
  const ended = last && howEnded(last);
  if (!last?.detail || ended === undefined) return;
  const { runId: _, ...before } = last.detail;
  // Times are compared as they were asked for: "7d" is another instant in every run.
  const changed = Object.keys(facts)
    .filter((key) => !("asked" in facts && TIMES.has(key)))
    .filter((key) => JSON.stringify(facts[key]) !== JSON.stringify(before[key]));
  const gone = Object.keys(before).filter((key) => !(key in facts) && key !== "error" && !TIMES.has(key));
  if (changed.length + gone.length === 0) return;
  const was = Object.fromEntries([...changed, ...gone].map((key) => [key, before[key] ?? null]));
  const is = Object.fromEntries([...changed, ...gone].map((key) => [key, facts[key] ?? null]));
  talk.log("info", "selection-differs", { startedAt: last.startedAt, ended, was, is });
};
