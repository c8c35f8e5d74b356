import { ArchiveError } from "../core/errors.ts";
import type { FoundCall, Ims, Log } from "../core/ports.ts";
import type { Window } from "../core/records.ts";
import { addressOf, isYoung } from "./calls.ts";
import { identity, type ListedInstance, listWindow, type PagingFacts, type WindowResult } from "./windows.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The calls of one agent created in a time range; `until` is exclusive. */
export interface AgentRange {
  agentId: string;
  since: Date;
  until: Date;
}

/** The result of listing a range, window by window. */
export interface Survey {
  stretch: AgentRange;
  /** The completely listed windows, in order. */
  windows: SurveyedWindow[];
  /** Calls that the service listed, those of other shards included. */
  seen: number;
  /** Whether the whole range was listed. */
  complete: boolean;
  /** Why the agent could not be listed. */
  error?: ArchiveError;
}

export interface SurveyedWindow extends Window {
  /** Running calls with neither id nor link: they cannot be recorded. */
  running: number;
  /** Such calls that are older than `GIVE_UP_MS`: they are reported as missing and no longer hold back the cursor. */
  lost: number;
  /** False while calls have no id or link yet, because any shard may get them, or while the pages keep moving. */
  settled: boolean;
  /** Calls that only a repeated listing returned. */
  late: number;
}

export interface RangeOptions {
  ims: Ims;
  log: Log;
  now: () => Date;
  /** Windows of an hour for the last day instead of a day. A cursor can stop only at the end of a window. */
  hourlyWindows?: boolean;
  /** Whether this shard counts a call that has neither id nor link. @default always */
  inMyShard?: (identity: string) => boolean;
  signal?: AbortSignal;
}

/**
Lists the calls of ranges, and adds the result of each range to `surveys`.

An agent that cannot be listed does not stop the others.

@throws ArchiveError that stops the run
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
The calls that begin in the second in which the range ends: they belong to the next range.

The service does not document whether its windows include their end. So a window that begins at this second is listed:
its calls are excluded from this range. If windows exclude their end, this excludes nothing.
*/
const callsAtEnd = async (
  { ims, log, now, signal }: RangeOptions,
  { agentId, until }: AgentRange,
  paging: PagingFacts,
): Promise<Set<string>> => {
  const names = new Set<string>();
  // A range that ends now needs no check: later calls belong to the next run.
  if (now().getTime() - until.getTime() < 2 * SECOND) return names;
  const start = new Date(Math.ceil(until.getTime() / SECOND) * SECOND);
  const window = { start, end: new Date(start.getTime() + SECOND) };
  for await (const listed of listWindow({ ims, agentId, window, paging, log, signal }))
    for (const { instance } of listed) names.add(identity(instance));
  return names;
};

/** Splits a range into windows of whole seconds; each begins where the last one ends. The range is rounded outwards. */
export const windowsOf = (
  { since, until }: Pick<AgentRange, "since" | "until">,
  now: Date,
  hourly: boolean,
): Window[] => {
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
