import { callsById } from "../../sources/calls.ts";
import { callsByRange, type Survey } from "../../sources/ranges.ts";
import { archiveOf } from "../archive.ts";
import { bindArchive } from "../binding.ts";
import type { AppContext } from "../context.ts";
import type { PullRequest } from "../requests.ts";
import { startFacts } from "../run-start.ts";
import { inMyShard, type Selection, selectionFacts } from "../selection/selection.ts";
import { VERSION } from "../version.ts";
import { existingArchive, sharded } from "./fetch.ts";
import { warnOfSilent } from "./never-listed.ts";

/** What a pull would do. */
export interface PullPlan {
  outcome: "complete" | "partial";
  selected: number;
  /** How many of those are stored already. */
  known: number;
  /** Calls that have not ended; they are not in `selected`. */
  running: number;
  /** Lines of an id file without an id. */
  unreadable: number;
}

/** Counts what a pull would fetch. Lists calls, but describes and downloads none, and does not change the archive. */
export const planPull = async (
  command: string,
  request: PullRequest,
  context: AppContext,
  selection: Selection,
): Promise<PullPlan> => {
  const { host, log } = context;
  const facts = startFacts(selectionFacts(request, selection), request.archive, undefined);
  log("info", "start", { version: VERSION, command, ...facts });
  const cloud = selection.by === "range" ? await (await import("../cloud.ts")).connect(request, context) : undefined;
  const archive = request.archive === false ? undefined : await existingArchive(request, context);
  // A temporary archive counts each call once, without holding all ids in memory.
  const scratch = await archiveOf({ archive: false }, context, true);
  const surveys: Survey[] = [];
  let selected = 0;
  let known = 0;
  let silent = 0;
  let unreadable = 0;
  const onUnreadable = (message: string): void => {
    unreadable += 1;
    log("warn", "bad-id", { message });
  };
  try {
    if (archive && cloud) await bindArchive(archive, cloud, request);
    const found =
      cloud && selection.by === "range"
        ? callsByRange(
            { ims: cloud.ims, log: log, now: host.now, inMyShard: inMyShard(request) },
            selection.stretches,
            surveys,
          )
        : callsById(selection.by === "ids" ? selection.ids(onUnreadable) : []);
    for await (const batch of sharded(found, request)) {
      const refs = batch.map(({ ref }) => ref);
      const chosen = await scratch.select(refs);
      const room = (request.limit ?? Number.POSITIVE_INFINITY) - selected;
      const fresh = refs.filter((_, index) => chosen[index]?.added).slice(0, room);
      selected += fresh.length;
      const settled = request.refresh ? [] : ((await archive?.settled(fresh)) ?? []);
      known += settled.filter(Boolean).length;
      if (selected === request.limit) break;
    }
    if (cloud) silent = await warnOfSilent(archive, surveys, cloud, request, log);
  } finally {
    await scratch.close();
    await archive?.close();
    await cloud?.close();
  }
  const running = surveys.flatMap(({ windows }) => windows).reduce((total, window) => total + window.running, 0);
  const isPartial = unreadable + silent > 0 || surveys.some(({ error }) => error);
  return { outcome: isPartial ? "partial" : "complete", selected, known, running, unreadable };
};
