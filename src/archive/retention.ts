import type { Retention } from "../core/archive.ts";
import { meaningsOf } from "../core/conversation-id.ts";
import { messageOf } from "../core/errors.ts";
import { parseMeta } from "../core/raw-conversation.ts";
import type { StoredFilter } from "../core/records.ts";
import type { Forgotten } from "./forgotten.ts";
import { removeMedia } from "./media.ts";
import { BUSY_MS, type Db, transaction } from "./open.ts";
import { firstRow, insertStored, sourcesOf } from "./rows.ts";
import type { SessionIndex } from "./sessions.ts";
import type { Store } from "./store.ts";

/** How long a scrub waits for readers, in milliseconds; most read for the time of one page. */
const SCRUB_MS = 2_000;
/** Value of the fact `scrub` after the vacuum: only the checkpoint is left to do. */
const REWRITTEN = "rewritten";

/** Deletes calls permanently, and checks the database. */
export const retention = (
  db: Db,
  assertLocked: () => void,
  store: Store,
  sessions: SessionIndex,
  forgotten: Forgotten,
  settledBefore: number,
): Retention => {
  /** Turns the doomed items into tombstones: they keep what identifies the call, and nothing of its content. */
  const makeTombstones = (): void => {
    const rows = db
      .prepare(
        `select block, json_group_array(number) as numbers from (
           select i.block, i.item as number from temp.doomed d cross join items i on i.item = d.item
           union all select r.block, -r.record from temp.doomed d cross join records r on r.item = d.item)
         where block is not null group by block`,
      )
      .all() as { block: number; numbers: string }[];
    for (const { block, numbers } of rows) {
      const doomed = JSON.parse(numbers) as number[];
      rememberSessions(block, doomed);
      store.drop(block, new Set(doomed));
    }
    const files = db
      .prepare("select m.media, m.item, m.place, m.record from temp.doomed d cross join media m on m.item = d.item")
      .all() as { media: number; item: number; place: string; record: string }[];
    // Files that records name are dropped with their records.
    for (const { item, place, record } of files) if (record === "") forgotten.keepPlace(item, place);
    removeMedia(
      db,
      files.map(({ media }) => media),
    );
    db.exec(`
      delete from records where item in (select item from temp.doomed);
      delete from changes where item in (select item from temp.doomed);
      update items set state = 'pruned', block = null, bytes = null, said = null, sha256 = null, link = nullif(link, ''),
        status = null, error_code = null, error_message = null, error_request_id = null, error_status = null,
        error_at = null, last_at = null, further = null
      where item in (select item from temp.doomed);
      delete from reported where item in (select item from temp.doomed)`);
  };
  /** The call logs that were set aside because another one has their id: who names the id means them, too. */
  const addSetAside = ({ id, sources }: StoredFilter): number => {
    const meanings = id === undefined ? [] : meaningsOf(id, sourcesOf(db), sources);
    const call = meanings.find(({ source }) => source === "calls");
    if (!call) return 0;
    return db
      .prepare(
        `insert into temp.doomed select item from items indexed by items_same_id
         where same_id is not null and lower(same_id) = lower(?) and state <> 'pruned' on conflict do nothing`,
      )
      .run(call.id).changes;
  };
  /** Dialogues and recordings of deleted calls must be known when they come again. */
  const rememberSessions = (block: number, doomed: readonly number[]): void => {
    const members = store.membersOf(block);
    for (const item of doomed) {
      const meta = item > 0 ? members.get(item)?.meta : undefined;
      if (!meta) continue;
      const known = parseMeta(meta);
      forgotten.keepChannel(item, known, sessions.keepForgotten(item, known)?.end);
    }
  };
  const setScrub = db.prepare(
    "insert into facts (name, value) values ('scrub', ?) on conflict (name) do update set value = excluded.value",
  );
  const getScrub = db.prepare("select value from facts where name = 'scrub'");
  /** Moves the log into the file. False while another connection still reads the old content. */
  const checkpoint = (): boolean => {
    const { busy } = db.prepare("pragma wal_checkpoint(TRUNCATE)").get() as { busy: number };
    return busy === 0;
  };

  /** Rewrites the file, then moves the log into it: only then the old content is gone. */
  const scrub = (): string | undefined => {
    const scrubState = firstRow<{ value: string }>(getScrub.get())?.value;
    if (scrubState === undefined) return undefined;
    db.exec(`pragma busy_timeout = ${SCRUB_MS}`);
    try {
      if (scrubState !== REWRITTEN) {
        db.exec("vacuum");
        setScrub.run(REWRITTEN);
      }
      if (!checkpoint()) return "another process is reading the archive";
      db.exec("delete from facts where name = 'scrub'");
      return undefined;
    } catch (error) {
      return messageOf(error);
    } finally {
      db.exec(`pragma busy_timeout = ${BUSY_MS}`);
    }
  };

  return {
    prune: async (filter) => {
      await store.compaction();
      return transaction(db, () => {
        assertLocked();
        db.exec("create temp table doomed (item integer primary key)");
        const pruned = insertStored(db, "insert into temp.doomed", filter, settledBefore) + addSetAside(filter);
        if (pruned > 0) setScrub.run("deleted");
        makeTombstones();
        db.exec("drop table temp.doomed");
        return pruned;
      });
    },
    scrub: async () => {
      assertLocked();
      return scrub();
    },
    integrity: async () => {
      const problems: string[] = [];
      try {
        const rows = db.prepare("pragma integrity_check").all() as { integrity_check: string }[];
        problems.push(...rows.map(({ integrity_check }) => integrity_check).filter((text) => text !== "ok"));
      } catch (error) {
        // The damage ends the check itself.
        return [messageOf(error)];
      }
      const orphans = db
        .prepare(
          `select count(*) as n from items i left join blocks b on b.block = i.block
           where i.state = 'fetched' and i.sha256 is not null and b.block is null`,
        )
        .get() as { n: number };
      if (orphans.n > 0)
        problems.push(`${orphans.n} fetched ${orphans.n === 1 ? "call has" : "calls have"} no document`);
      const lost = db
        .prepare("select count(*) as n from records r left join blocks b on b.block = r.block where b.block is null")
        .get() as { n: number };
      if (lost.n > 0) problems.push(`${lost.n} ${lost.n === 1 ? "record has" : "records have"} no data`);
      return problems;
    },
  };
};
