import { hash } from "node:crypto";
import type { MediaKind, MediaState, NamedMedia, StoredMedia } from "../core/media.ts";
import type { Media } from "../core/media-store.ts";
import type { SourceName } from "../core/transcript.ts";
import type { ChangeLog } from "./change-log.ts";
import { jsonColumns } from "./columns.ts";
import type { Forgotten } from "./forgotten.ts";
import { type Db, transaction } from "./open.ts";

interface MediaRow {
  media: number;
  kind: string;
  place: string;
  item: number | null;
  source: string;
  record: string;
  playlist: string | null;
  channel: string | null;
  at: number | null;
  state: string;
  sha256: string | null;
  bytes: number | null;
  type: string | null;
  seconds: number | null;
  attempts: number;
  error: [string, string, string] | null;
}

/** In place of a type: not the content but the place has this SHA-256, and a part of it may be downloaded. */
const UNFINISHED = "unfinished";

interface CountRow {
  state: string;
  kind: string;
  n: number;
  bytes: number;
  oldest: number | null;
}

const COLUMNS = jsonColumns<MediaRow>({
  media: "m.media",
  kind: "m.kind",
  place: "m.place",
  item: "m.item",
  source: "m.source",
  record: "m.record",
  playlist: "m.playlist",
  channel: "m.channel",
  at: "m.at",
  state: "m.state",
  sha256: "lower(hex(m.sha256))",
  bytes: "m.bytes",
  type: "m.type",
  seconds: "m.seconds",
  attempts: "m.attempts",
  error: "case when m.error_code is not null then json_array(m.error_code, m.error_message, m.error_at) end",
});

const asJson = (query: string): string =>
  `select json_group_array(json(line)) as lines from (select json_array(${COLUMNS.sql}) as line ${query} limit -1)`;

const mediaIn = (answer: unknown): StoredMedia[] =>
  (JSON.parse((answer as { lines: string }).lines) as unknown[][]).map((line) => storedMedia(COLUMNS.row(line)));

const storedMedia = (row: MediaRow): StoredMedia => {
  const { playlist, channel, at, sha256, bytes, type, seconds, error } = row;
  return {
    media: row.media,
    kind: row.kind as MediaKind,
    place: row.place,
    ...(row.item !== null && { item: row.item }),
    ...(row.record !== "" && { record: { source: row.source as SourceName, id: row.record } }),
    ...(playlist !== null && { playlist }),
    ...(channel !== null && { channel }),
    ...(at !== null && { at: new Date(at) }),
    state: row.state as MediaState,
    ...(sha256 !== null && sha256 !== "" && { sha256 }),
    ...(bytes !== null && { bytes }),
    ...(type !== null && { type }),
    ...(seconds !== null && { seconds }),
    attempts: row.attempts,
    ...(error && { error: { code: error[0], message: error[1], at: error[2] } }),
  };
};

/** The files of a commit's records. All of it runs inside the commit's transaction. */
export const mediaOfRecords = (db: Db) => {
  const insert = db.prepare(
    "insert into media (kind, place, item, source, record, at) values (?, ?, ?, ?, ?, ?) on conflict do nothing",
  );
  const move = db.prepare("update media set item = ? where source = ? and record = ? and record <> ''");
  const ofRecord = db.prepare("select media from media where source = ? and record = ? and record <> ''");
  return {
    add: (
      item: number,
      record: { source: string; id: string; at: number | null },
      media: readonly NamedMedia[],
    ): void => {
      for (const { kind, place } of media) insert.run(kind, place, item, record.source, record.id, record.at);
    },
    /** A record belongs to another conversation now. */
    move: (item: number, source: string, record: string): void => void move.run(item, source, record),
    /** A record is not used any more. */
    remove: (source: string, record: string): void => {
      const numbers = (ofRecord.all(source, record) as { media: number }[]).map(({ media }) => media);
      if (numbers.length > 0) removeMedia(db, numbers);
    },
  };
};

/** Deletes files from the archive, and notes which bytes nothing uses any more. Needs a transaction. */
export const removeMedia = (db: Db, numbers: readonly number[]): void => {
  const list = JSON.stringify(numbers);
  const hashes = db
    .prepare(
      "select distinct sha256, type from media where media in (select value from json_each(?)) and sha256 is not null",
    )
    .all(list) as { sha256: ArrayBuffer; type: string | null }[];
  const discard = db.prepare("insert into discarded (sha256, type) values (?, ?) on conflict do nothing");
  const unfinished = db
    .prepare("select place from media where media in (select value from json_each(?)) and sha256 is null")
    .all(list) as { place: string }[];
  for (const { place } of unfinished) discard.run(hash("sha256", place, "buffer"), UNFINISHED);
  db.prepare("delete from media where media in (select value from json_each(?))").run(list);
  const isUsed = db.prepare("select exists (select 1 from media where sha256 = ?) as used");
  for (const { sha256, type } of hashes) {
    const bytes = Buffer.from(sha256);
    if ((isUsed.get([bytes]) as { used: number }).used === 0) discard.run(bytes, type);
  }
};

/** The stored files of conversations, by item. */
export const mediaOfItems = (db: Db) => {
  const any = db.prepare("select exists (select 1 from media) as has");
  const select = db.prepare(
    asJson(
      `from json_each(?) n cross join media m indexed by media_item on m.item = n.value
       where m.item is not null order by m.item, m.at is null, m.at, m.place, m.source, m.record`,
    ),
  );
  return (items: readonly number[]): Map<number, StoredMedia[]> => {
    const byItem = new Map<number, StoredMedia[]>();
    if ((any.get() as { has: number }).has === 0) return byItem;
    for (const media of mediaIn(select.get(JSON.stringify(items)))) {
      const all = byItem.get(media.item ?? -1);
      if (all) all.push(media);
      else byItem.set(media.item ?? -1, [media]);
    }
    return byItem;
  };
};

/** The files that lie beside the archive. */
export const media = (
  db: Db,
  now: () => Date,
  assertLocked: () => void,
  changeLog: ChangeLog,
  forgotten: Forgotten,
): Media => {
  const upsert = db.prepare(
    `insert into media (kind, place, item, playlist, channel, at) values (?, ?, ?, ?, ?, ?)
     on conflict (place, source, record) do update set item = coalesce(excluded.item, item),
       playlist = coalesce(excluded.playlist, playlist), channel = coalesce(excluded.channel, channel),
       at = coalesce(excluded.at, at),
       -- Named by a listing and no playlist: it is there again.
       state = iif(state = 'missing' and excluded.playlist is null, 'pending', state)`,
  );
  const known = db.prepare(
    "select exists (select 1 from media where place = ? and source = '' and record = '') as known",
  );
  const ofPlace = db.prepare("select media from media where place = ? and source = '' and record = ''");
  const isPruned = db.prepare("select state = 'pruned' as pruned from items where item = ?");
  const stored = db.prepare(
    `update media set state = 'stored', sha256 = unhex(?), bytes = ?, type = ?, seconds = ?, attempts = attempts + 1,
       error_code = null, error_message = null, error_at = null where media = ?`,
  );
  const keep = db.prepare("delete from discarded where sha256 = unhex(?)");
  const notStored = db.prepare(
    `update media set state = ?, attempts = attempts + 1, error_code = ?, error_message = ?, error_at = ?
     where media = ? and state <> 'stored'`,
  );
  // Each reads only an index.
  const counts = [
    "select state, kind, count(*) as n, 0 as bytes, min(at) as oldest from media indexed by media_unsettled where state <> 'stored' group by state, kind",
    "select 'stored' as state, kind, count(*) as n, sum(bytes) as bytes, null as oldest from media indexed by media_stored where state = 'stored' group by kind",
  ].map((query) => db.prepare(query));
  return {
    addMedia: async (files) =>
      transaction(db, () => {
        assertLocked();
        let added = 0;
        for (const { kind, place, item = null, playlist = null, channel = null, at } of files) {
          if (forgotten.hasPlace(place)) continue;
          if (item !== null && (isPruned.get(item) as { pruned: number } | undefined)?.pruned === 1) {
            removeMedia(
              db,
              (ofPlace.all(place) as { media: number }[]).map(({ media: number }) => number),
            );
            forgotten.keepPlace(item, place);
            continue;
          }
          if (item !== null) changeLog.beforeChange(item);
          if ((known.get(place) as { known: number }).known === 0) added += 1;
          upsert.run(kind, place, item, playlist, channel, at?.getTime() ?? null);
        }
        return added;
      }),
    forgottenCalls: async (channels) => forgotten.callsOf(channels),
    listMedia: async ({ states, kinds, places, unmatched, after = 0, limit = 500 } = {}) => {
      const terms = ["m.media > ?"];
      const values: unknown[] = [after];
      const oneOf = (column: string, wanted: readonly string[] | undefined): void => {
        if (wanted === undefined) return;
        terms.push(`${column} in (${wanted.map(() => "?").join(", ") || "null"})`);
        values.push(...wanted);
      };
      oneOf("m.state", states);
      oneOf("m.kind", kinds);
      oneOf("m.place", places);
      if (unmatched) terms.push("m.item is null");
      return mediaIn(
        db
          .prepare(
            `select json_group_array(json(line)) as lines from (select json_array(${COLUMNS.sql}) as line
             from media m where ${terms.join(" and ")} order by m.media limit ${Number(limit)})`,
          )
          .get(...values),
      );
    },
    commitMedia: async (outcomes) =>
      transaction(db, () => {
        assertLocked();
        const at = now().toISOString();
        for (const outcome of outcomes) {
          if (outcome.state === "stored") {
            const { sha256, bytes, type = null, seconds = null } = outcome;
            // Deleted meanwhile: what was downloaded is deleted, too.
            if (stored.run(sha256, bytes, type, seconds, outcome.media).changes === 0) {
              const used = db.prepare("select exists (select 1 from media where sha256 = unhex(?)) as used");
              if ((used.get(sha256) as { used: number }).used === 0)
                db.prepare("insert into discarded (sha256, type) values (unhex(?), ?) on conflict do nothing").run(
                  sha256,
                  type,
                );
            } else keep.run(sha256);
          } else notStored.run(outcome.state, outcome.error.code, outcome.error.message, at, outcome.media);
        }
      }),
    mediaSummary: async () =>
      (counts.flatMap((query) => query.all()) as CountRow[]).map(({ state, kind, n, bytes, oldest }) => ({
        state: state as MediaState,
        kind: kind as MediaKind,
        files: n,
        bytes,
        ...(oldest !== null && { oldest: new Date(oldest) }),
      })),
    discardedMedia: async () =>
      (
        db.prepare("select lower(hex(sha256)) as sha256, type from discarded order by sha256").all() as {
          sha256: string;
          type: string | null;
        }[]
      ).map(({ sha256, type }) =>
        type === UNFINISHED ? { sha256, unfinished: true } : { sha256, ...(type !== null && { type }) },
      ),
    forgetDiscarded: async (hashes) =>
      transaction(db, () => {
        assertLocked();
        const remove = db.prepare("delete from discarded where sha256 = unhex(?)");
        for (const each of hashes) remove.run(each);
      }),
  };
};
