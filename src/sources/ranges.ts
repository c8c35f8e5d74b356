import { ArchiveError } from "../core/errors.ts";
import type { FoundCall, Ims, Log } from "../core/ports.ts";
import type { Window } from "../core/records.ts";
import { addressOf, isYoung } from "./calls.ts";
import { identity, type ListedInstance, listWindow, type PagingFacts, type WindowResult } from "./windows.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Calls of one agent, created within a stretch of time, as the service counts it: `until` does not belong to it. */
export interface AgentRange {
  agentId: string;
  since: Date;
  until: Date;
}

/** What listing a stretch brought to light, window by window. */
export interface Survey {
  stretch: AgentRange;
  /** In order, those that were listed to their end. */
  windows: SurveyedWindow[];
  /** Calls that the service listed, this machine's or not. */
  seen: number;
  /** Whether the stretch was listed to its end. */
  complete: boolean;
  /** Why the agent could not be listed. */
  error?: ArchiveError;
}

export interface SurveyedWindow extends Window {
  /** Calls that still go on and have neither id nor link: there is nothing to record them by. */
  running: number;
  /** The same, from so long ago that they never will: reported, and waited for no longer. */
  lost: number;
  /** False while calls go on whose names are not known, so that any shard may get them, or while pages keep moving. */
  settled: boolean;
  /** Calls that were listed only when the pages were read again. */
  late: number;
}

export interface RangeOptions {
  ims: Ims;
  log: Log;
  now: () => Date;
  /** Windows of an hour for the last day, of a day before; else of a day. They are what a cursor can stop at. */
  hourlyWindows?: boolean;
  /** Whether a call without a name is counted here: it is counted in one shard. */
  inMyShard?: (identity: string) => boolean;
  signal?: AbortSignal;
}

/**
Lists the calls of stretches, and tells in `surveys` what came of each.

An agent that cannot be listed does not keep the others from their turn.

@throws what stops the whole run
*/
export async function* callsByRange(
  options: RangeOptions,
  stretches: readonly AgentRange[],
  surveys: Survey[],
): AsyncGenerator<FoundCall[]> {
  for (const stretch of stretches) {
    const survey: Survey = { stretch, windows: [], seen: 0, complete: false };
    surveys.push(survey);
    try {
      yield* callsInRange(options, survey);
      survey.complete = true;
    } catch (error) {
      if (!(error instanceof ArchiveError) || error.next !== "skip") throw error;
      survey.error = error;
      options.log("error", "not-listed", { agentId: stretch.agentId, code: error.facts.code, message: error.message });
    }
  }
}

async function* callsInRange(options: RangeOptions, survey: Survey): AsyncGenerator<FoundCall[]> {
  const { ims, log, now, signal, inMyShard = () => true } = options;
  const { stretch, windows } = survey;
  const { agentId } = stretch;
  const paging: PagingFacts = { full: false };
  const nextRangeCalls = await callsAtEnd(options, stretch, paging);
  survey.seen += nextRangeCalls.size;
  for (const window of windowsOf(stretch, now(), options.hourlyWindows === true)) {
    const listing = listWindow({ ims, agentId, window, paging, log, signal });
    let next = await listing.next();
    for (; !next.done; next = await listing.next()) {
      survey.seen += next.value.length;
      const batch = next.value.filter(
        ({ instance }) => !nextRangeCalls.has(identity(instance)) && isIdentified(instance),
      );
      if (batch.length > 0) yield batch.map(foundIn);
    }
    const unidentified = [...next.value.nameless].filter((name) => !nextRangeCalls.has(name));
    windows.push(
      toSurveyedWindow(window, next.value, unidentified, unidentified.filter(inMyShard).length, isYoung(window, now())),
    );
  }
}

const isIdentified = ({ id, link }: ListedInstance["instance"]): boolean => id !== undefined || link !== undefined;

const toSurveyedWindow = (
  window: Window,
  { settled, late }: WindowResult,
  unidentified: readonly string[],
  countedHere: number,
  isRecent: boolean,
): SurveyedWindow => ({
  ...window,
  running: isRecent ? countedHere : 0,
  lost: isRecent ? 0 : countedHere,
  settled: settled && !(isRecent && unidentified.length > 0),
  late,
});

/**
Calls of the second in which the stretch ends: they belong to the next one.

Whether the service's windows include their end is not documented. A window that begins there tells which calls are
meant; if it does not include its end, none of them is in ours, and nothing is left out.
*/
const callsAtEnd = async (
  { ims, log, now, signal }: RangeOptions,
  { agentId, until }: AgentRange,
  paging: PagingFacts,
): Promise<Set<string>> => {
  const names = new Set<string>();
  // Up to now: what comes later is for the next run anyway.
  if (now().getTime() - until.getTime() < 2 * SECOND) return names;
  const start = new Date(Math.ceil(until.getTime() / SECOND) * SECOND);
  const window = { start, end: new Date(start.getTime() + SECOND) };
  for await (const listed of listWindow({ ims, agentId, window, paging, log, signal }))
    for (const { instance } of listed) names.add(identity(instance));
  return names;
};

/** The stretch in windows of whole seconds that share their edges; widened, so that none is cut off. */
export const windowsOf = ({ since, until }: AgentRange, now: Date, hourly: boolean): Window[] => {
  const start = Math.floor(since.getTime() / SECOND) * SECOND;
  const end = Math.ceil(until.getTime() / SECOND) * SECOND;
  const recent = now.getTime() - DAY - 2 * HOUR;
  const windows: Window[] = [];
  for (let from = start; from < end; ) {
    const step = hourly && from >= recent ? HOUR : DAY;
    const to = Math.min(end, (Math.floor(from / step) + 1) * step);
    windows.push({ start: new Date(from), end: new Date(to) });
    from = to;
  }
  return windows;
};

const foundIn = ({ instance: { id, link, status, meta }, listPage: place }: ListedInstance): FoundCall => ({
  ref: {
    agentId: place.agentId,
    status,
    meta,
    window: { start: place.start, end: place.end },
    ...(id && { instanceId: id }),
    ...(link && { link: addressOf(link) }),
  },
  ...(link && { link }),
  listPage: place,
});
