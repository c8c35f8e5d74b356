import type { ForgottenCall } from "../core/media-store.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Db } from "./open.ts";
import { firstRow } from "./rows.ts";
import { digestOf } from "./sessions.ts";

/** The channel of a call by its metadata; undefined if it is not known. */
export type ChannelOf = (meta: JsonObject) => string | undefined;

/** No id of a session has these. */
const ofChannel = (channel: string): string => `\0channel\0${channel}`;
const ofPlace = (place: string): string => `\0place\0${place}`;

/** Most archives have deleted no call, so that no channel needs to be looked up. */
const FACT = "forgotten-channels";

/** A call of which only the start is known ends at most so much later, in milliseconds. */
const LONGEST_MS = 86_400_000;

/**
What is kept of the files of deleted calls, so that they are not stored again: digests of their places, and of the channels
of the calls. They are rows of `call_sessions`, which has the same of dialogues.
*/
export const forgotten = (db: Db, channelOf: ChannelOf) => {
  const insert = db.prepare(
    "insert into call_sessions (session, item, started_at, ended_at) values (?, ?, ?, ?) on conflict do nothing",
  );
  const setFact = db.prepare("insert into facts (name, value) values (?, '1') on conflict do nothing");
  const hasFact = db.prepare("select exists (select 1 from facts where name = ?) as has");
  const findStart = db.prepare("select started_at as start from items where item = ?");
  const findPlace = db.prepare(
    `select exists (select 1 from call_sessions c cross join items i on i.item = c.item
                    where c.session = ? and i.state = 'pruned') as has`,
  );
  const findChannels = db.prepare(
    `select c.item, c.started_at as start, c.ended_at as end
     from json_each(?) n cross join call_sessions c on c.session = unhex(n.value) cross join items i on i.item = c.item
     where i.state = 'pruned'`,
  );
  return {
    /** @param end of the call, if it is known */
    keepChannel: (item: number, meta: JsonObject, end: Date | undefined): void => {
      const channel = channelOf(meta);
      const start = firstRow<{ start: number | null }>(findStart.get(item))?.start ?? null;
      if (channel === undefined || start === null) return;
      setFact.run(FACT);
      insert.run(digestOf(ofChannel(channel)), item, start, end?.getTime() ?? start + LONGEST_MS);
    },
    keepPlace: (item: number, place: string): void => void insert.run(digestOf(ofPlace(place)), item, 0, 0),
    hasPlace: (place: string): boolean => (findPlace.get([digestOf(ofPlace(place))]) as { has: number }).has === 1,
    callsOf: (channels: readonly string[]): ForgottenCall[] => {
      if ((hasFact.get(FACT) as { has: number }).has === 0) return [];
      const digests = channels.map((channel) => digestOf(ofChannel(channel)).toString("hex"));
      const rows = findChannels.all(JSON.stringify(digests)) as { item: number; start: number; end: number }[];
      return rows.map(({ item, start, end }) => ({ item, start: new Date(start), end: new Date(end) }));
    },
  };
};

export type Forgotten = ReturnType<typeof forgotten>;
