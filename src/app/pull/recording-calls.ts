import type { Archive } from "../../core/archive.ts";
import type { StoredMedia } from "../../core/media.ts";
import { isObject, type JsonObject } from "../../core/transcript.ts";
import { callFacts } from "../../parse/call-meta.ts";
import { textual } from "../../parse/values.ts";
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
Finds the calls of recordings by channel and time.

A channel may be used again: of its calls, the one that began last before the file was written counts.

@param seen when the files that this run saw were written: what is said of calls is about that time
*/
export const matchRecordings = async (
  archive: Pick<Archive, "listMedia" | "addMedia" | "list">,
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
      } = callFacts(meta);
      const channel = channelOf(meta);
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
  const found = waiting.flatMap((media) => {
    const call = callOf(media, channels);
    return call === undefined ? [] : [{ ...media, item: call.item }];
  });
  for (let from = 0; from < found.length; from += BATCH) await archive.addMedia(found.slice(from, from + BATCH));
  for (const { item } of found) recorded.add(item);
  const without = (calls: ReadonlySet<number>): number => [...calls].filter((item) => !recorded.has(item)).length;
  return {
    files: found.length,
    unmatched: waiting.length - found.length,
    withoutTime,
    calls: { recorded: recorded.size, notRecordable: without(phones), unrecorded: without(others) },
  };
};

const channelOf = (meta: JsonObject = {}): string | undefined => {
  const { RuntimeConfig: config } = meta;
  return isObject(config) ? textual(config.ChannelId) : undefined;
};

const callOf = (
  { place, playlist, channel, at }: StoredMedia,
  channels: ReadonlyMap<string, Call[]>,
): Call | undefined => {
  if (at === undefined) return undefined;
  const names = channel === undefined ? possibleChannels(playlist ?? place) : [channel];
  const candidates = [...names]
    .flatMap((name) => channels.get(name) ?? [])
    .filter(({ start, end }) => start <= at.getTime() && at.getTime() <= (end ?? start + LONGEST_MS) + LONGEST_MS);
  return candidates.toSorted((one, other) => other.start - one.start || (one.id < other.id ? -1 : 1))[0];
};
