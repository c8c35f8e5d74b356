import type { Archive } from "../../core/archive.ts";
import type { StoredMedia } from "../../core/media.ts";
import { callFacts } from "../../parse/call-meta.ts";
import { possibleChannels } from "../../sources/recordings.ts";
import { mediaIn } from "../media/run.ts";

/** A call is at most so long, and its recording is written at most so long after its end, in milliseconds. */
const LONGEST_MS = 24 * 3_600_000;

/** Files of one commit. */
const BATCH = 500;

interface Call {
  item: number;
  id: string;
  start: number;
  end: number | undefined;
  /** It was deleted: its files are dropped. */
  isForgotten?: boolean;
}

/** How many files of recordings were matched with calls, and what was found of the calls in that time. */
export interface Matched {
  /** Files that now have their call. */
  files: number;
  /** Files of which no call in the archive has the channel at that time. */
  unmatched: number;
  /** Of these, files of which neither channel nor time is known: recordings in VOD. */
  withoutTime: number;
  calls: {
    /** With a recording. */
    recorded: number;
    /** Phone calls, which the service does not record. */
    notRecordable: number;
    /** Other calls without a recording. */
    unrecorded: number;
  };
}

/**
Finds the calls of recordings by channel and time. Files of deleted calls are dropped.

A channel may be used again: of its calls, the one that began last before the file was written counts.

@param seen when the files that this run saw were written: what is said of calls is about that time
*/
export const matchRecordings = async (
  archive: Pick<Archive, "listMedia" | "addMedia" | "forgottenCalls" | "list">,
  seen: readonly Date[],
  closing: AbortSignal,
): Promise<Matched> => {
  const waiting: StoredMedia[] = [];
  for await (const media of mediaIn(archive, { kinds: ["recording", "segment"], unmatched: true })) waiting.push(media);
  const withoutTime = waiting.filter(({ at }) => at === undefined).length;
  const times = [...seen, ...waiting.flatMap(({ at }) => at ?? [])].map((at) => at.getTime());
  if (times.length === 0)
    return {
      files: 0,
      unmatched: waiting.length,
      withoutTime,
      calls: { recorded: 0, notRecordable: 0, unrecorded: 0 },
    };
  const first = times.reduce((least, at) => Math.min(least, at));
  const last = times.reduce((most, at) => Math.max(most, at));
  const channels = new Map<string, Call[]>();
  const phones = new Set<number>();
  const others = new Set<number>();
  const recorded = new Set<number>();
  const range = { sources: ["calls"] as const, since: new Date(first - 2 * LONGEST_MS), until: new Date(last + 1) };
  for await (const batch of archive.list(range, { documents: true, tolerant: true })) {
    closing.throwIfAborted();
    for (const { item, id, meta, startedAt, media = [] } of batch) {
      const {
        start = startedAt === undefined ? undefined : Date.parse(startedAt),
        end,
        caller,
        callee,
        channel,
      } = callFacts(meta);
      if (start === undefined) continue;
      const isPhone = caller !== undefined || callee !== undefined;
      if (end === undefined || end >= first) (isPhone ? phones : others).add(item);
      if (media.some(({ kind }) => kind === "recording")) recorded.add(item);
      if (channel === undefined) continue;
      const call = { item, id, start, end };
      const calls = channels.get(channel);
      if (calls) calls.push(call);
      else channels.set(channel, [call]);
    }
  }
  const found: (StoredMedia & { item: number })[] = [];
  let deleted = 0;
  for (const media of waiting) {
    const names = channelsOf(media);
    const forgotten = (await archive.forgottenCalls(names)).map(({ item, start, end }) => ({
      ...{ item, id: "", isForgotten: true },
      ...{ start: start.getTime(), end: end.getTime() },
    }));
    const calls = [...names.flatMap((name) => channels.get(name) ?? []), ...forgotten];
    const call = callOf(media, calls);
    if (call === undefined) continue;
    found.push({ ...media, item: call.item });
    if (call.isForgotten) deleted += 1;
    else recorded.add(call.item);
  }
  for (let from = 0; from < found.length; from += BATCH) await archive.addMedia(found.slice(from, from + BATCH));
  const without = (calls: ReadonlySet<number>): number => [...calls].filter((item) => !recorded.has(item)).length;
  return {
    files: found.length - deleted,
    unmatched: waiting.length - found.length,
    withoutTime,
    calls: { recorded: recorded.size, notRecordable: without(phones), unrecorded: without(others) },
  };
};

const channelsOf = ({ place, playlist, channel }: StoredMedia): string[] =>
  channel === undefined ? [...possibleChannels(playlist ?? place)] : [channel];

/** The call that began last before the file was written. */
const callOf = ({ at }: StoredMedia, calls: readonly Call[]): Call | undefined => {
  if (at === undefined) return undefined;
  return calls
    .filter(({ start, end }) => start <= at.getTime() && at.getTime() <= (end ?? start + LONGEST_MS) + LONGEST_MS)
    .toSorted((one, other) => other.start - one.start || (one.id < other.id ? -1 : 1))[0];
};
