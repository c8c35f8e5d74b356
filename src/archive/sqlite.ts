import {
  type Archive,
  type Counts,
  type Outcome,
  type Ref,
  type Selected,
  STATES,
  type State,
  type StoredRecord,
} from "../core/ports.ts";
import { compress, expand, type Packed } from "./codec.ts";
import { openDatabase } from "./open.ts";
import { type ItemRow, ORDER, recordOf, standIn, where } from "./rows.ts";
import { summarise } from "./summary.ts";

const BATCH_ITEMS = 500;
const BATCH_BYTES = 8 * 1024 * 1024;

export interface SqliteOptions {
  /** A file, or "" for a private temporary database that is gone when it is closed. */
  path: string;
  /** Make the file when there is none; without it, that is an error. */
  create: boolean;
  now: () => Date;
}

/**
Opens an archive in one SQLite file.

@throws UsageError when there is no file, it is not an archive, or a newer version wrote it.
*/
export const openSqlite = ({ path, create, now }: SqliteOptions): Archive => {
  const db = openDatabase(path, create);
  db.exec("create temp table selected (item integer primary key)");

  // One statement prepared once: preparing costs more than most of these take.
  const byId = db.prepare(
    `insert into items (key, instance_id, agent_id, status, state) values (?, ?, ?, ?, 'pending')
     on conflict (key) do update set agent_id = coalesce(items.agent_id, excluded.agent_id)
     returning item, state`,
  );
  const byLink = db.prepare(
    `insert into items (key, link, agent_id, status, meta, state) values (?, ?, ?, ?, ?, 'pending')
     on conflict (link) do update set agent_id = coalesce(items.agent_id, excluded.agent_id),
       status = excluded.status, meta = case when items.state = 'fetched' then items.meta else excluded.meta end
     returning item, state`,
  );
  const addSelected = db.prepare("insert into temp.selected (item) values (?) on conflict do nothing");
  const dropSelected = db.prepare("delete from temp.selected where item = ?");
  const twin = db.prepare("select item from items where key = ? and item <> ?");
  const takeLink = db.prepare("select link, agent_id from items where item = ?");
  const remove = db.prepare("delete from items where item = ?");
  const adopt = db.prepare(
    "update items set link = coalesce(?, link), agent_id = coalesce(agent_id, ?) where item = ?",
  );
  const settle = db.prepare(
    `update items set state = ?, key = coalesce(?, key), instance_id = coalesce(instance_id, ?),
       link = coalesce(?, link), status = coalesce(?, status), meta = coalesce(?, meta),
       started_at = coalesce(?, started_at), sha256 = coalesce(?, sha256), bytes = coalesce(?, bytes),
       error_code = ?, error_message = ?, error_request_id = ?, error_status = ?, error_at = ?
     -- A good document is never given up for less.
     where item = ? and (state <> 'fetched' or ? = 'fetched')`,
  );
  const freeLink = db.prepare("update items set link = null where link = ? and item <> ?");
  const putDocument = db.prepare(
    `insert into documents (item, codec, body) values (?, ?, ?)
     on conflict (item) do update set codec = excluded.codec, body = excluded.body`,
  );
  const document = db.prepare("select codec, body from documents where item = ?");
  const isSettled = db.prepare("select 1 from items where (key = ? or link = ?) and state in ('fetched', 'invalid')");
  const byKey = db.prepare("select * from items where key = ?");

  /** A listed call turns out to be one that was already known by its id: the older item stands for both. */
  const unite = (item: number, key: string): number => {
    const known = one<{ item: number }>(twin.get(key, item));
    if (!known) return item;
    const from = one<{ link: string | null; agent_id: string | null }>(takeLink.get(item));
    dropSelected.run(item);
    remove.run(item);
    adopt.run(from?.link ?? null, from?.agent_id ?? null, known.item);
    addSelected.run(known.item);
    return known.item;
  };

  const store = db.transaction((outcomes: readonly (Outcome & { body?: Packed })[]) => {
    for (const outcome of outcomes) {
      const key = outcome.instanceId?.toLowerCase();
      const item = key ? unite(outcome.item, key) : outcome.item;
      if (outcome.link) freeLink.run(outcome.link, item);
      const { error, document: raw } = outcome;
      const settled = settle.run(
        outcome.state,
        key ?? null,
        outcome.instanceId ?? null,
        outcome.link ?? null,
        outcome.status ?? null,
        outcome.meta ? JSON.stringify(outcome.meta) : null,
        outcome.startedAt ?? null,
        raw?.sha256 ?? null,
        raw?.bytes.length ?? null,
        error?.code ?? null,
        error?.message ?? null,
        error?.requestId ?? null,
        error?.status ?? null,
        error ? now().toISOString() : null,
        item,
        outcome.state,
      );
      if (outcome.body && settled.changes > 0) putDocument.run(item, outcome.body.codec, outcome.body.body);
    }
  });

  const choose = db.transaction((refs: readonly Ref[]): Selected[] =>
    refs.map((ref) => {
      const agent = ref.agentId ?? null;
      const status = ref.status ?? null;
      const row = ref.instanceId
        ? byId.get(ref.instanceId.toLowerCase(), ref.instanceId, agent, status)
        : byLink.get(
            standIn(ref.link ?? ""),
            ref.link ?? null,
            agent,
            status,
            ref.meta ? JSON.stringify(ref.meta) : null,
          );
      const { item, state } = one<{ item: number; state: State }>(row) ?? lost();
      return { item, state, added: addSelected.run(item).changes > 0 };
    }),
  );

  const withDocument = async (row: ItemRow): Promise<StoredRecord> => {
    const record = recordOf(row);
    const packed = one<Packed>(document.get(row.item));
    if (packed && row.sha256) record.document = { bytes: await expand(packed), sha256: row.sha256 };
    return record;
  };

  /** Rows of a query in batches; ids are walked first, so that no sort ever carries bytes. */
  async function* walk(sql: string, values: unknown[], documents: boolean): AsyncGenerator<StoredRecord[]> {
    let rows: ItemRow[] = [];
    let bytes = 0;
    for (const row of db.prepare(sql).iterate(...values) as IterableIterator<ItemRow>) {
      rows.push(row);
      bytes += documents ? (row.bytes ?? 0) : 0;
      if (rows.length < BATCH_ITEMS && bytes < BATCH_BYTES) continue;
      yield documents ? await Promise.all(rows.map(withDocument)) : rows.map(recordOf);
      rows = [];
      bytes = 0;
    }
    if (rows.length > 0) yield documents ? await Promise.all(rows.map(withDocument)) : rows.map(recordOf);
  }

  const tally = (sql: string): Counts => {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Counts;
    for (const row of db.prepare(sql).all() as { state: State; n: number }[]) counts[row.state] = row.n;
    return counts;
  };

  const chosen = "from temp.selected s join items i on i.item = s.item";
  return {
    select: async (refs) => choose.immediate(refs),
    selectStored: async (filter) => {
      const { clause, values } = where(filter);
      return db
        .prepare(`insert into temp.selected select item from items i ${clause} on conflict do nothing`)
        .run(...values).changes;
    },
    settled: async (refs) =>
      refs.filter(
        ({ instanceId, link }) => isSettled.get(instanceId?.toLowerCase() ?? null, link ?? null) !== undefined,
      ).length,
    commit: async (outcomes) =>
      store.immediate(
        await Promise.all(
          outcomes.map(async (outcome) =>
            outcome.document ? { ...outcome, body: await compress(outcome.document.bytes) } : outcome,
          ),
        ),
      ),
    counts: async () => tally(`select i.state, count(*) as n ${chosen} group by i.state`),
    records: () => walk(`select i.* ${chosen} where i.state = 'fetched' ${ORDER}`, [], true),
    unsettled: () => walk(`select i.* ${chosen} where i.state <> 'fetched' ${ORDER}`, [], false),
    find: async (id) => {
      const row = one<ItemRow>(byKey.get(id.toLowerCase()));
      return row && withDocument(row);
    },
    list: (filter) => {
      const { clause, values } = where(filter);
      return walk(`select i.* from items i ${clause}`, values, false);
    },
    summary: async () => summarise(db, tally),
    beginRun: async ({ command, version, startedAt, detail }) =>
      Number(
        db
          .prepare("insert into runs (command, version, started_at, detail) values (?, ?, ?, ?)")
          .run(command, version, startedAt, JSON.stringify(detail ?? {})).lastInsertRowid,
      ),
    endRun: async (run, { endedAt, exitCode, detail }) => {
      db.prepare("update runs set ended_at = ?, exit_code = ?, detail = ? where run = ?").run(
        endedAt,
        exitCode,
        JSON.stringify(detail),
        run,
      );
    },
    close: async () => {
      db.close();
    },
  };
};

/** libsql types rows as unknown; the shape is the statement's own. */
const one = <T>(row: unknown): T | undefined => (row === null ? undefined : (row as T | undefined));

const lost = (): never => {
  throw new Error("The archive gave no item for a reference.");
};
