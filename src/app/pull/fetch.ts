import type { Archive } from "../../core/archive.ts";
import { NoArchive } from "../../core/errors.ts";
import type { FoundCall } from "../../core/ports.ts";
import { GIVE_UP_MS, type PullProgress, pull } from "../../core/pull.ts";
import { type CallsOptions, callsById, fetchCalls } from "../../sources/calls.ts";
import { callsByRange, type Survey } from "../../sources/ranges.ts";
import { archiveOf } from "../archive.ts";
import { bindArchive } from "../binding.ts";
import type { Cloud } from "../cloud.ts";
import type { AppContext, Host, Step } from "../context.ts";
import type { ArchiveRequest, CloudRequest, PullRequest, SelectionRequest } from "../requests.ts";
import { cursorName, inMyShard, type KnownToArchive, type Selection } from "../selection/selection.ts";
import type { Session } from "../session.ts";
import { neverListed, rememberListed, warnOfSilent } from "./never-listed.ts";

/** What fetching a selection brought, beyond the ledger. */
export interface PullResult extends PullProgress {
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
export const knownBy = (request: ArchiveRequest, host: Host): KnownToArchive => {
  const look = async <T>(ask: (archive: Archive) => Promise<T>): Promise<T | undefined> => {
    if (request.archive === false) return undefined;
    const archive = await existingArchive(request, host);
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

/** Undefined when there is none yet. */
export const existingArchive = (request: ArchiveRequest, host: Host): Promise<Archive | undefined> =>
  archiveOf(request, host, false).catch((error: unknown) => {
    if (error instanceof NoArchive) return undefined;
    throw error;
  });

/** The cloud of a run, connected to when it is first asked for, and once. */
export const cloudOf = (request: CloudRequest, context: AppContext): (() => Promise<Cloud>) => {
  let made: Promise<Cloud> | undefined;
  return () => (made ??= import("../cloud.ts").then(({ connect }) => connect(request, context)));
};

/** Brings what a request selects into the archive, and moves the cursors of agents whose calls are settled. */
export const fetchSelection = async (
  request: PullRequest,
  { host, log, progress }: AppContext,
  connected: () => Promise<Cloud>,
  { archive, startedAt, closing, ending }: Session,
  selection: Selection,
): Promise<PullResult> => {
  const cloud = await connected();
  const { now } = host;
  const surveys: Survey[] = [];
  let unreadable = 0;
  const onUnreadable = (message: string): void => {
    unreadable += 1;
    log("warn", "bad-id", { message });
  };
  try {
    const ims = await bindArchive(archive, cloud, request);
    const calls: CallsOptions = { ims, download: cloud.download(request), describe: request.describe, now, log };
    const found =
      selection.by === "ids"
        ? callsById(selection.ids(onUnreadable))
        : callsByRange(
            { ims, log, now, hourlyWindows: selection.last, inMyShard: inMyShard(request), signal: ending },
            selection.stretches,
            surveys,
          );
    let limited = false;
    const pulled = await pull({
      archive,
      found: sharded(found, request),
      fetch: fetchCalls(calls),
      concurrency: request.concurrency,
      describe: request.describe === "always",
      now,
      closing,
      signal: ending,
      log,
      progress: (so) => {
        limited = so.limited;
        progress.show(stepOf(so, askedFor(selection, request)));
      },
      ...(request.refresh && { refresh: true }),
      ...(request.limit && { limit: request.limit }),
    }).finally(() => (limited ? undefined : moveCursors(archive, surveys, request, startedAt, now())));
    closing.throwIfAborted();
    const silentAgents = await warnOfSilent(archive, surveys, cloud, request, log);
    const sum = (of: "running" | "lost" | "late") =>
      surveys.flatMap(({ windows }) => windows).reduce((total, window) => total + window[of], 0);
    const unlisted = surveys.filter(({ error }) => error).length;
    const since = surveys.flatMap(({ windows }) => windows.flatMap(({ running, start }) => (running > 0 ? start : [])));
    const runningSince = since.map((start) => start.toISOString()).toSorted()[0];
    const counted = { running: sum("running"), absent: sum("lost"), listedLate: sum("late") };
    const trouble = { unreadable, unlisted, silentAgents, throttled: cloud.throttled() };
    return { ...pulled, ...counted, ...trouble, ...(runningSince && { runningSince }) };
  } finally {
    progress.stop();
    await cloud.close();
  }
};

/** Those of the request's shard. */
export async function* sharded(
  found: AsyncIterable<FoundCall[]>,
  request: SelectionRequest,
): AsyncGenerator<FoundCall[]> {
  const isMine = inMyShard(request);
  // What has a stand-in id was in this archive's share when it was listed.
  for await (const batch of found)
    yield batch.filter(({ ref }) => ref.standIn !== undefined || isMine(ref.instanceId ?? ref.link ?? ""));
}

/** How many calls a selection names, where that is known before each of them was looked at. */
export const askedFor = (selection: Selection, { limit, shard }: SelectionRequest): number | undefined =>
  selection.by === "range" || selection.total === undefined || shard
    ? undefined
    : Math.min(selection.total, limit ?? Number.POSITIVE_INFINITY);

const stepOf = ({ selected, known, settled, troubled, complete }: PullProgress, asked: number | undefined): Step => {
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
  request: SelectionRequest & { allowEmpty?: boolean },
  startedAt: Date,
  now: Date,
): Promise<void> => {
  await rememberListed(archive, surveys);
  const silent = request.allowEmpty ? [] : await neverListed(archive, surveys);
  for (const survey of surveys) {
    const { stretch, windows } = survey;
    const name = cursorName(stretch.agentId, request.shard);
    const before = await archive.cursor(name);
    // Between the cursor and a later start nothing was looked at.
    if (before && stretch.since > before) continue;
    const unsettled = await archive.unsettledWindows(stretch.agentId, new Date(startedAt.getTime() - GIVE_UP_MS));
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
      Math.min(startedAt.getTime(), now.getTime()) - MARGIN_MS,
    );
    await archive.moveCursor(name, new Date(Math.max(latest, stretch.since.getTime())));
  }
};
