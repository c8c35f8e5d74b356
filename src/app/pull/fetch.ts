import type { Archive, Facts, Ledger, Reader, Runs } from "../../core/archive.ts";
import { NoArchive } from "../../core/errors.ts";
import type { FoundCall } from "../../core/ports.ts";
import { GIVE_UP_MS, type PullProgress, pull } from "../../core/pull.ts";
import { type CallsOptions, callsById, fetchCalls } from "../../sources/calls.ts";
import { callsByRange, type Survey } from "../../sources/ranges.ts";
import { type ArchiveContext, archiveOf } from "../archive.ts";
import { bindArchive } from "../binding.ts";
import type { Cloud } from "../cloud.ts";
import type { AppContext, Step } from "../context.ts";
import type { ArchiveRequest, CloudRequest, PullRequest, RunRequest, SelectionRequest } from "../requests.ts";
import { cursorName, inMyShard, type KnownToArchive, type Selection } from "../selection/selection.ts";
import type { Session } from "../session.ts";
import { neverListed, rememberListed, warnOfSilent } from "./never-listed.ts";

/** The counts of fetching a selection that the ledger does not have. */
export interface PullResult extends PullProgress {
  /** Calls that have not ended and have neither id nor link yet. */
  running: number;
  /** The start of the first window that listed such a call, because a list has no start times. */
  runningSince?: string;
  /** Such calls from more than 72 hours ago. */
  absent: number;
  /** Lines of an id file without an id. */
  unreadable: number;
  /** Agents that could not be listed. */
  unlisted: number;
  /** Calls that were listed only when the pages were read again. */
  listedLate: number;
  /** Agents that have never listed a call; 0 with `allowEmpty`. */
  silentAgents: number;
  /** Requests that were throttled and repeated. */
  throttled: number;
}

/** How far a cursor stays behind the present, in milliseconds: the latest calls may not be listed yet. */
export const MARGIN_MS = 10 * 60_000;

/** What the archive of a request knows; nothing if it does not exist yet. */
export const knownBy = (
  request: ArchiveRequest & Pick<RunRequest, "wait">,
  context: ArchiveContext,
): KnownToArchive => {
  const read = async <T>(query: (archive: Archive) => Promise<T>): Promise<T | undefined> => {
    if (request.archive === false) return undefined;
    const archive = await existingArchive(request, context);
    try {
      return archive && (await query(archive));
    } finally {
      await archive?.close();
    }
  };
  return {
    agents: async () =>
      (await read(async (archive) => (await archive.summary(["calls"])).agents.map((agent) => agent.agentId))) ?? [],
    cursor: (name) => read((archive) => archive.cursor(name)),
  };
};

/** The archive of a request; undefined if it does not exist yet. */
export const existingArchive = (
  request: ArchiveRequest & Pick<RunRequest, "wait">,
  context: ArchiveContext,
): Promise<Archive | undefined> =>
  archiveOf(request, context, false).catch((error: unknown) => {
    if (error instanceof NoArchive) return undefined;
    throw error;
  });

/** Connects to the cloud at the first call, and only once. */
export const cloudOf = (request: CloudRequest, context: AppContext): (() => Promise<Cloud>) => {
  let connection: Promise<Cloud> | undefined;
  return () => (connection ??= import("../cloud.ts").then(({ connect }) => connect(request, context)));
};

/** Fetches the selected calls into the archive, and moves the cursors of agents whose calls are settled. */
export const fetchSelection = async (
  request: PullRequest,
  { host, log, progress }: AppContext,
  connectOnce: () => Promise<Cloud>,
  { archive, startedAt, closing, ending }: Session,
  selection: Selection,
): Promise<PullResult> => {
  const cloud = await connectOnce();
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
      progress: (counts) => {
        limited = counts.limited;
        progress.show(stepOf(counts, expectedCalls(selection, request)));
      },
      ...(request.refresh && { refresh: true }),
      ...(request.limit && { limit: request.limit }),
    }).finally(() => (limited ? undefined : moveCursors(archive, surveys, request, startedAt, now())));
    closing.throwIfAborted();
    const silentAgents = await warnOfSilent(archive, surveys, cloud, request, log);
    const sum = (of: "running" | "lost" | "late") =>
      surveys.flatMap(({ windows }) => windows).reduce((total, window) => total + window[of], 0);
    const unlisted = surveys.filter(({ error }) => error).length;
    const starts = surveys.flatMap(({ windows }) =>
      windows.flatMap(({ running, start }) => (running > 0 ? start : [])),
    );
    const runningSince = starts.map((start) => start.toISOString()).toSorted()[0];
    const counted = { running: sum("running"), absent: sum("lost"), listedLate: sum("late") };
    const trouble = { unreadable, unlisted, silentAgents, throttled: cloud.throttled() };
    return { ...pulled, ...counted, ...trouble, ...(runningSince && { runningSince }) };
  } finally {
    progress.stop();
    await cloud.close();
  }
};

/** The calls that belong to the request's shard. */
export async function* sharded(
  found: AsyncIterable<FoundCall[]>,
  request: SelectionRequest,
): AsyncGenerator<FoundCall[]> {
  const isMine = inMyShard(request);
  // A call with a stand-in id belonged to this shard when it was listed.
  for await (const batch of found)
    yield batch.filter(({ ref }) => ref.standIn !== undefined || isMine(ref.instanceId ?? ref.link ?? ""));
}

/** How many calls a selection names; undefined if that is not known before they are listed. */
export const expectedCalls = (selection: Selection, { limit, shard }: SelectionRequest): number | undefined =>
  selection.by === "range" || selection.total === undefined || shard
    ? undefined
    : Math.min(selection.total, limit ?? Number.POSITIVE_INFINITY);

const stepOf = ({ selected, known, settled, troubled, complete }: PullProgress, expected: number | undefined): Step => {
  const total = complete ? selected : expected;
  return {
    stage: "Fetching",
    done: known + settled,
    worked: settled,
    troubled,
    ...(total !== undefined && { total: Math.max(total, selected) }),
  };
};

/**
Moves each agent's cursor over the first windows that were listed completely and in which every call is settled. It moves
only forward, and never past the start of the run minus the margin.
*/
const moveCursors = async (
  archive: Ledger & Reader & Runs & Facts,
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
    // Calls between the cursor and a later start were not listed.
    if (before && stretch.since > before) continue;
    const unsettled = await archive.unsettledWindows(stretch.agentId, new Date(startedAt.getTime() - GIVE_UP_MS));
    // Even if nothing is settled, the next run needs a cursor to continue from.
    let reached = stretch.since;
    for (const { start, end, settled } of windows) {
      // The agent or region of a silent agent may be mistyped: after a correction, its calls must still be found.
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
