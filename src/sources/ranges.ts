import type { Window } from "../core/archive.ts";
import { ArchiveError } from "../core/errors.ts";
import type { Found, Ims, Log } from "../core/ports.ts";
import { addressOf, isYoung } from "./calls.ts";
import { identity, type Listed, listWindow } from "./windows.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Calls of one agent, created within a stretch of time, as the service counts it: `until` does not belong to it. */
export interface Stretch {
  agentId: string;
  since: Date;
  until: Date;
}

/** What listing a stretch brought to light, window by window. */
export interface Survey {
  stretch: Stretch;
  /** In order, those that were listed to their end. */
  windows: (Window & {
    /** Calls that still go on and have neither id nor link: there is nothing to record them by. */
    running: number;
    /** The same, from so long ago that they never will: reported, and waited for no longer. */
    lost: number;
  })[];
  /** Why the agent could not be listed. */
  error?: ArchiveError;
}

export interface RangeOptions {
  ims: Ims;
  log: Log;
  now: () => Date;
  /** Windows of an hour for the last day, of a day before; else of a day. They are what a cursor can stop at. */
  fine?: boolean;
  /** Whether a call without a name belongs to this machine's share. */
  mine?: (identity: string) => boolean;
  signal?: AbortSignal;
}

/**
Lists the calls of stretches, and tells in `surveys` what came of each.

An agent that cannot be listed does not keep the others from their turn.

@throws what stops the whole run
*/
export async function* callsByRange(
  options: RangeOptions,
  stretches: readonly Stretch[],
  surveys: Survey[],
): AsyncGenerator<Found[]> {
  for (const stretch of stretches) {
    const survey: Survey = { stretch, windows: [] };
    surveys.push(survey);
    try {
      yield* callsOf(options, survey);
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.next !== "skip") throw error;
      survey.error = error;
      options.log("error", "not-listed", { agentId: stretch.agentId, code: error.facts.code, message: error.message });
    }
  }
}

async function* callsOf(options: RangeOptions, { stretch, windows }: Survey): AsyncGenerator<Found[]> {
  const { ims, log, now, signal, mine = () => true } = options;
  const { agentId } = stretch;
  const beyond = await edge(options, stretch);
  for (const window of windowsOf(stretch, now(), options.fine === true)) {
    const nameless = new Set<string>();
    for await (const listed of listWindow({ ims, agentId, window, log, signal })) {
      const batch: Found[] = [];
      for (const entry of listed) {
        const name = identity(entry.instance);
        if (beyond.has(name)) continue;
        if (entry.instance.id || entry.instance.link) batch.push(foundIn(entry));
        else if (mine(name)) nameless.add(name);
      }
      if (batch.length > 0) yield batch;
    }
    const young = isYoung(window, now());
    windows.push({ ...window, running: young ? nameless.size : 0, lost: young ? 0 : nameless.size });
  }
}

/**
Calls of the second in which the stretch ends: they belong to the next one.

Whether the service's windows include their end is not documented. A window that begins there tells which calls are
meant; if it does not include its end, none of them is in ours, and nothing is left out.
*/
const edge = async ({ ims, log, now, signal }: RangeOptions, { agentId, until }: Stretch): Promise<Set<string>> => {
  const names = new Set<string>();
  // Up to now: what comes later is for the next run anyway.
  if (now().getTime() - until.getTime() < 2 * SECOND) return names;
  const start = new Date(Math.ceil(until.getTime() / SECOND) * SECOND);
  const window = { start, end: new Date(start.getTime() + SECOND) };
  for await (const listed of listWindow({ ims, agentId, window, log, signal }))
    for (const { instance } of listed) names.add(identity(instance));
  return names;
};

/** The stretch in windows of whole seconds that share their edges; widened, so that none is cut off. */
export const windowsOf = ({ since, until }: Stretch, now: Date, fine: boolean): Window[] => {
  const start = Math.floor(since.getTime() / SECOND) * SECOND;
  const end = Math.ceil(until.getTime() / SECOND) * SECOND;
  const recent = now.getTime() - DAY - 2 * HOUR;
  const windows: Window[] = [];
  for (let from = start; from < end; ) {
    const step = fine && from >= recent ? HOUR : DAY;
    const to = Math.min(end, (Math.floor(from / step) + 1) * step);
    windows.push({ start: new Date(from), end: new Date(to) });
    from = to;
  }
  return windows;
};

const foundIn = ({ instance: { id, link, status, meta }, place }: Listed): Found => ({
  ref: {
    agentId: place.agentId,
    status,
    meta,
    window: { start: place.start, end: place.end },
    ...(id && { instanceId: id }),
    ...(link && { link: addressOf(link) }),
  },
  ...(link && { link }),
  place,
});
