import type { Archive } from "../../core/archive.ts";
import { NoArchive } from "../../core/errors.ts";
import type { Found } from "../../core/ports.ts";
import { GIVE_UP_MS, type Pulled, pull } from "../../core/pull.ts";
import { type CallsOptions, callsById, fetchCalls } from "../../sources/calls.ts";
import { callsByRange, type Survey } from "../../sources/ranges.ts";
import type { Input } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { ArchiveFlags, CloudFlags, PullFlags, SelectionFlags } from "../options.ts";
import type { Progress, Step } from "../progress.ts";
import { count, plural } from "../render.ts";
import { cursorName, type Known, mine, type Selection, selectionFacts } from "../selection.ts";
import { archiveOf } from "../wire.ts";
import type { Cloud, FixedKeys } from "../wire-cloud.ts";
import { bound } from "./binding.ts";
import { neverListed, rememberListed, tellSilent } from "./never-listed.ts";
import type { Session } from "./session.ts";
import { startFacts } from "./start.ts";

export type FetchInput = Input<SelectionFlags & ArchiveFlags & CloudFlags & PullFlags> & { fixed?: FixedKeys };

/** What fetching a selection brought, beyond the ledger. */
export interface Got extends Pulled {
  /** Calls that are still going on and have neither id nor link yet. */
  running: number;
  /** The start of the first window that listed such a call: when exactly it began, a list does not say. */
  runningSince?: string;
  /** The same, from more than 72 hours ago. */
  absent: number;
  /** Lines of an id file that are no id. */
  unreadable: number;
  /** Agents that could not be listed. */
  unlisted: number;
  /** Calls that were listed only when the pages were read again. */
  listedLate: number;
  /** Agents that have never listed a call, unless that is allowed. */
  silentAgents: number;
  /** Requests that were throttled and tried again. */
  throttled: number;
}

/** Calls of the last minutes may not be listed yet: a cursor stays so far behind the present, in milliseconds. */
export const MARGIN_MS = 10 * 60_000;

/** What the archive named by the flags knows; nothing when there is none yet. */
export const knownBy = (flags: ArchiveFlags, io: Io): Known => {
  const look = async <T>(ask: (archive: Archive) => Promise<T>): Promise<T | undefined> => {
    if (flags.archive === false) return undefined;
    const archive = await existing(flags, io);
    try {
      return archive && (await ask(archive));
    } finally {
      await archive?.close();
    }
  };
  return {
    agents: async () =>
      (await look(async (archive) => (await archive.summary()).agents.map((agent) => agent.agentId))) ?? [],
    cursor: (name) => look((archive) => archive.cursor(name)),
  };
};

const existing = (flags: ArchiveFlags, io: Io): Promise<Archive | undefined> =>
  archiveOf(flags, io, false).catch((error: unknown) => {
    if (error instanceof NoArchive) return undefined;
    throw error;
  });

/** The cloud of a run, connected to when it is first asked for, and once. */
export const cloudOf = ({ flags, io, talk, fixed }: FetchInput): (() => Promise<Cloud>) => {
  let made: Promise<Cloud> | undefined;
  return () => (made ??= import("../wire-cloud.ts").then(({ connect }) => connect(flags, io, talk, fixed)));
};

/** Brings what the flags select into the archive, and moves the cursors of agents whose calls are settled. */
export const fetchSelection = async (
  { flags, io, talk }: FetchInput,
  connected: () => Promise<Cloud>,
  { archive, begun, closing, ending }: Session,
  selection: Selection,
  progress: Progress,
): Promise<Got> => {
  const cloud = await connected();
  const surveys: Survey[] = [];
  let unreadable = 0;
  const bad = (message: string): void => {
    unreadable += 1;
    talk.log("warn", "bad-id", { message });
  };
  const { log } = talk;
  try {
    const ims = await bound(archive, cloud, flags);
    const calls: CallsOptions = {
      ims,
      download: cloud.download(flags),
      describe: flags.describe,
      now: io.now,
      log,
    };
    const found =
      selection.by === "ids"
        ? callsById(selection.ids(bad))
        : callsByRange(
            { ims, log, now: io.now, fine: selection.last, mine: mine(flags), signal: ending },
            selection.stretches,
            surveys,
          );
    let limited = false;
    const pulled = await pull({
      archive,
      found: sharded(found, flags),
      fetch: fetchCalls(calls),
      concurrency: flags.concurrency,
      describe: flags.describe === "always",
      now: io.now,
      closing,
      signal: ending,
      log,
      progress: (so) => {
        limited = so.limited;
        progress.show(stepOf(so, askedFor(selection, flags)));
      },
      ...(flags.refresh && { refresh: true }),
      ...(flags.limit && { limit: flags.limit }),
    }).finally(() => (limited ? undefined : moveCursors(archive, surveys, flags, begun, io.now())));
    closing.throwIfAborted();
    const silentAgents = await tellSilent(archive, surveys, cloud, flags, log);
    const sum = (of: "running" | "lost" | "late") =>
      surveys.flatMap(({ windows }) => windows).reduce((total, window) => total + window[of], 0);
    const unlisted = surveys.filter(({ error }) => error).length;
    const since = surveys.flatMap(({ windows }) => windows.flatMap(({ running, start }) => (running > 0 ? start : [])));
    const runningSince = since.map((start) => start.toISOString()).toSorted()[0];
    const counted = { running: sum("running"), absent: sum("lost"), listedLate: sum("late") };
    const told = { unreadable, unlisted, silentAgents, throttled: cloud.throttled() };
    return { ...pulled, ...counted, ...told, ...(runningSince && { runningSince }) };
  } finally {
    progress.stop();
    await cloud.close();
  }
};

async function* sharded(found: AsyncIterable<Found[]>, flags: SelectionFlags): AsyncGenerator<Found[]> {
  const isMine = mine(flags);
  // What has a stand-in id was in this archive's share when it was listed.
  for await (const batch of found)
    yield batch.filter(({ ref }) => ref.standIn !== undefined || isMine(ref.instanceId ?? ref.link ?? ""));
}

/** How many calls a selection names, where that is known before each of them was looked at. */
export const askedFor = (selection: Selection, { limit, shard }: SelectionFlags): number | undefined =>
  selection.by === "range" || selection.total === undefined || shard
    ? undefined
    : Math.min(selection.total, limit ?? Number.POSITIVE_INFINITY);

const stepOf = ({ selected, known, settled, troubled, complete }: Pulled, asked: number | undefined): Step => {
  const total = complete ? selected : asked;
  return {
    stage: "Fetching",
    done: known + settled,
    worked: settled,
    troubled,
    ...(total !== undefined && { total: Math.max(total, selected) }),
  };
};

/**
Moves each agent's cursor over the windows, from the first on, that were listed to their end and in which every call is
settled; never past where the run began, less the margin, and only on from where it stood.
*/
const moveCursors = async (
  archive: Archive,
  surveys: readonly Survey[],
  flags: SelectionFlags & { allowEmpty?: boolean },
  begun: Date,
  now: Date,
): Promise<void> => {
  await rememberListed(archive, surveys);
  const silent = flags.allowEmpty ? [] : await neverListed(archive, surveys);
  for (const survey of surveys) {
    const { stretch, windows } = survey;
    const name = cursorName(stretch.agentId, flags.shard);
    const before = await archive.cursor(name);
    // Between the cursor and a later start nothing was looked at.
    if (before && stretch.since > before) continue;
    const unsettled = await archive.unsettledWindows(stretch.agentId, new Date(begun.getTime() - GIVE_UP_MS));
    // Where nothing is settled yet, the next run still has to know where to go on from.
    let reached = stretch.since;
    for (const { start, end, settled } of windows) {
      // Of an agent or a region that may be mistyped nothing is known: what is there is to be found once that is put right.
      if (!settled || silent.includes(survey) || unsettled.some((open) => open.start < end && open.end > start)) break;
      reached = end;
    }
    const latest = Math.min(
      reached.getTime(),
      stretch.until.getTime(),
      Math.min(begun.getTime(), now.getTime()) - MARGIN_MS,
    );
    await archive.moveCursor(name, new Date(Math.max(latest, stretch.since.getTime())));
  }
};

/** Says what a fetch would do: lists, but describes and downloads nothing, and changes nothing in the archive. */
export const plan = async (input: FetchInput, selection: Selection): Promise<ExitCode> => {
  const { flags, io, talk, fixed } = input;
  talk.begin(input.command, startFacts(selectionFacts(input, selection), flags.archive, undefined));
  const cloud =
    selection.by === "range" ? await (await import("../wire-cloud.ts")).connect(flags, io, talk, fixed) : undefined;
  const archive = flags.archive === false ? undefined : await existing(flags, io);
  // Counts each call once, however often it is named, without holding them all in memory.
  const scratch = await archiveOf({ archive: false }, io, true);
  const surveys: Survey[] = [];
  let selected = 0;
  let known = 0;
  let silent = 0;
  let unreadable = 0;
  const bad = (message: string): void => {
    unreadable += 1;
    talk.log("warn", "bad-id", { message });
  };
  try {
    if (archive && cloud) await bound(archive, cloud, flags);
    const found =
      cloud && selection.by === "range"
        ? callsByRange({ ims: cloud.ims, log: talk.log, now: io.now, mine: mine(flags) }, selection.stretches, surveys)
        : callsById(selection.by === "ids" ? selection.ids(bad) : []);
    for await (const batch of sharded(found, flags)) {
      const refs = batch.map(({ ref }) => ref);
      const chosen = await scratch.select(refs);
      const room = (flags.limit ?? Number.POSITIVE_INFINITY) - selected;
      const fresh = refs.filter((_, index) => chosen[index]?.added).slice(0, room);
      selected += fresh.length;
      const settled = flags.refresh ? [] : ((await archive?.settled(fresh)) ?? []);
      known += settled.filter(Boolean).length;
      if (selected === flags.limit) break;
    }
    if (cloud) silent = await tellSilent(archive, surveys, cloud, flags, talk.log);
  } finally {
    await scratch.close();
    await archive?.close();
    await cloud?.close();
  }
  const running = surveys.flatMap(({ windows }) => windows).reduce((total, window) => total + window.running, 0);
  talk.record("plan", { selected, known, running, unreadable });
  talk.say(`${plural(selected, "call")} selected: ${count(known)} known, ${count(selected - known)} to fetch.`);
  if (running > 0) talk.say(`${plural(running, "call")} more, still going on.`);
  return unreadable + silent > 0 || surveys.some(({ error }) => error) ? EXIT.partial : EXIT.complete;
};
