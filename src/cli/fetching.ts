import type { Archive, Found } from "../core/ports.ts";
import { type Pulled, pull } from "../core/pull.ts";
import { type CallsOptions, callsById, callsByRange, fetchCalls } from "../sources/calls.ts";
import { EXIT, type ExitCode, Interrupted } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import type { DisplayFlags, Talk } from "./log.ts";
import type { ArchiveFlags, CloudFlags, PullFlags, SelectionFlags } from "./options.ts";
import type { Progress } from "./progress.ts";
import { count, plural } from "./render.ts";
import { type Selection, sharded } from "./selection.ts";
import type { Got } from "./summary.ts";
import { archiveOf, connect, type FixedKeys } from "./wire.ts";

export type FetchFlags = SelectionFlags & ArchiveFlags & CloudFlags & PullFlags & DisplayFlags;

export interface FetchContext {
  args: readonly string[];
  flags: FetchFlags;
  io: Io;
  talk: Talk;
  progress: Progress;
  fixed?: FixedKeys | undefined;
}

/** How long what is under way may still take after the first signal, in milliseconds. */
const DRAIN_MS = 30_000;

/** Agents that the archive named by the flags has seen; none when there is no archive yet. */
export const agentsSeen = async (flags: ArchiveFlags, io: Io): Promise<string[]> => {
  try {
    const archive = await archiveOf(flags, io, false);
    try {
      return (await archive.summary()).agents.map(({ agentId }) => agentId);
    } finally {
      await archive.close();
    }
  } catch {
    return [];
  }
};

/** Brings what the flags select into the archive. @throws Interrupted after a signal, when all that ran is committed */
export const fetchSelection = async (context: FetchContext, archive: Archive, selection: Selection): Promise<Got> => {
  const { flags, io, talk, progress, fixed } = context;
  const closing = new AbortController();
  const ending = new AbortController();
  let interrupted: Interrupted | undefined;
  const deaf = io.onSignal((signal) => {
    if (interrupted) return io.exit(interrupted.exitCode);
    interrupted = new Interrupted(signal);
    talk.say(`${signal}: finishing what is under way (up to ${DRAIN_MS / 1000} s); once more ends at once.`);
    closing.abort(interrupted);
    setTimeout(() => ending.abort(interrupted), DRAIN_MS).unref();
  });
  const cloud = await connect(flags, io, talk, fixed).catch((error: unknown) => {
    deaf();
    throw error;
  });
  let unnamed = 0;
  try {
    const calls: CallsOptions = {
      ims: cloud.ims,
      download: cloud.download(flags),
      describe: flags.describe,
      now: io.now,
      log: talk.log,
    };
    const found = foundBy(selection, calls, ending.signal, (open) => {
      unnamed += open;
    });
    const pulled = await pull({
      archive,
      found: sharded(found, flags),
      fetch: fetchCalls(calls),
      concurrency: flags.concurrency,
      closing: closing.signal,
      signal: ending.signal,
      log: talk.log,
      progress: (so) => progress.show(stepOf(so)),
      ...(flags.refresh && { refresh: true }),
      ...(flags.limit && { limit: flags.limit }),
    });
    if (interrupted) throw interrupted;
    return { ...pulled, unnamed, absent: 0 };
  } catch (error) {
    // Whatever else broke while it was ending, the signal is why.
    throw interrupted ?? error;
  } finally {
    progress.stop();
    deaf();
    await cloud.close();
  }
};

const stepOf = ({ selected, known, settled, troubled, complete }: Pulled) => ({
  stage: "Fetching",
  done: known + settled,
  troubled,
  ...(complete && { total: selected }),
});

const foundBy = (
  selection: Selection,
  calls: CallsOptions,
  signal: AbortSignal,
  unnamed: (calls: number) => void,
): AsyncGenerator<Found[]> =>
  selection.by === "ids" ? callsById(selection.ids()) : callsByRange(calls, selection, unnamed, signal);

/** Says what a fetch would do: lists, but describes and downloads nothing, and changes nothing in the archive. */
export const plan = async (context: Omit<FetchContext, "progress">, selection: Selection): Promise<ExitCode> => {
  const { flags, io, talk, fixed } = context;
  const cloud = selection.by === "range" ? await connect(flags, io, talk, fixed) : undefined;
  const archive = await archiveOf(flags, io, false).catch(() => undefined);
  // Counts each call once, however often it is named, without holding them all in memory.
  const scratch = await archiveOf({ archive: false }, io, true);
  let selected = 0;
  let known = 0;
  let unnamed = 0;
  try {
    const found =
      cloud && selection.by === "range"
        ? callsByRange({ ims: cloud.ims, log: talk.log }, selection, (open) => {
            unnamed += open;
          })
        : callsById(selection.by === "ids" ? selection.ids() : []);
    for await (const batch of sharded(found, flags)) {
      const refs = batch.map(({ ref }) => ref);
      const chosen = await scratch.select(refs);
      const room = (flags.limit ?? Number.POSITIVE_INFINITY) - selected;
      const fresh = refs.filter((_, index) => chosen[index]?.added).slice(0, room);
      selected += fresh.length;
      known += flags.refresh ? 0 : ((await archive?.settled(fresh)) ?? 0);
      if (selected === flags.limit) break;
    }
  } finally {
    await scratch.close();
    await archive?.close();
    await cloud?.close();
  }
  talk.record("plan", { selected, known, unnamed });
  talk.say(`${plural(selected, "call")} selected: ${count(known)} known, ${count(selected - known)} to fetch.`);
  if (unnamed > 0) talk.say(`${plural(unnamed, "call")} more, still going on.`);
  return EXIT.complete;
};
