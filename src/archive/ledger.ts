import type { Ledger, Outcome, Ref, Selected, State, Window } from "../core/archive.ts";
import type { JsonObject } from "../core/transcript.ts";
import { compress, expand, type Packed } from "./codec.ts";
import { type Db, transaction } from "./open.ts";
import { countStates, one, standIn, where } from "./rows.ts";

/** An outcome whose bytes are ready to be stored. */
type Ready = Outcome & { body?: Packed; packedMeta?: Packed["body"] };

/** What was selected, and what came of it. `held` throws when this connection may no longer write. */
export const ledger = (db: Db, now: () => Date, held: () => void): Ledger => {
  db.exec("create temp table selected (item integer primary key)");
  const statements = prepare(db);

  /**
  A call turns out to be one that the archive knew already, by its id or, if it had none, by its address: the older item
  stands for both.
  */
  const unite = ({ item, instanceId, link }: Outcome): { item: number; state?: State } => {
    const key = instanceId?.toLowerCase();
    const known = one<{ item: number; state: State }>(
      (key && statements.twin.get(key, item)) ?? (link && statements.nameless.get(link, item)) ?? undefined,
    );
    if (!known) return { item };
    statements.moveLinks.run(known.item, item);
    statements.adopt.run(item, known.item);
    statements.dropSelected.run(item);
    statements.addSelected.run(known.item);
    statements.remove.run(item);
    if (key) statements.name.run(key, instanceId, known.item);
    return known;
  };

  const commit = (outcomes: readonly Ready[]): void => {
    held();
    for (const outcome of outcomes) {
      const { item, state } = unite(outcome);
      if (outcome.link) statements.addLink.run(outcome.link, item);
      if (state === "fetched") {
        // Two addresses of one call: the document that came first stays.
        if (outcome.packedMeta) statements.putMeta.run(outcome.packedMeta, item);
        continue;
      }
      const { error, document: raw, body } = outcome;
      const { changes } = statements.settle.run(
        outcome.state,
        outcome.instanceId?.toLowerCase() ?? null,
        outcome.instanceId ?? null,
        outcome.link ?? null,
        outcome.status ?? null,
        outcome.meta && "GmtCreate" in outcome.meta ? 1 : 0,
        outcome.startedAt ?? null,
        raw?.sha256 ?? null,
        raw?.bytes.length ?? null,
        outcome.state === "fetched" ? 0 : 1,
        error?.code ?? null,
        error?.message ?? null,
        error?.requestId ?? null,
        error?.status ?? null,
        error ? now().toISOString() : null,
        item,
        outcome.state,
      );
      if (changes === 0) continue;
      if (body) statements.putDocument.run(item, body.codec, body.body, outcome.packedMeta ?? null);
      else if (outcome.packedMeta) statements.putMeta.run(outcome.packedMeta, item);
    }
  };

  const ready = async (outcome: Outcome): Promise<Ready> => {
    const { document, meta } = outcome;
    // List knows less than describe: what was said before and is not said now stays.
    const packed = meta && one<{ codec: string; meta: ArrayBuffer | null }>(statements.meta.get(outcome.item));
    const before: JsonObject = packed?.meta
      ? JSON.parse(Buffer.from(await expand({ codec: packed.codec, body: packed.meta })).toString())
      : {};
    const merged = meta && (await compress(Buffer.from(JSON.stringify({ ...before, ...meta }))));
    return {
      ...outcome,
      ...(document && { body: await compress(document.bytes) }),
      ...(merged && { packedMeta: merged.body }),
    };
  };

  const select = (refs: readonly Ref[]): Selected[] =>
    refs.map((ref) => {
      const item = found(ref) ?? added(ref);
      const row = one<ChosenRow>(statements.chosen.get(item)) ?? lost();
      return { ...selectedOf(row), added: statements.addSelected.run(item).changes > 0 };
    });

  const found = ({ instanceId, link, agentId, window }: Ref): number | undefined => {
    const known = one<{ item: number }>(
      instanceId ? statements.byKey.get(instanceId.toLowerCase()) : statements.byLink.get(link ?? ""),
    );
    if (known && (agentId || window))
      statements.touch.run(
        agentId ?? null,
        window?.start.toISOString() ?? null,
        window?.end.toISOString() ?? null,
        known.item,
      );
    if (known && instanceId && link) statements.addLink.run(link, known.item);
    return known?.item;
  };

  const added = ({ instanceId, link, agentId, status, window }: Ref): number => {
    const { item } =
      one<{ item: number }>(
        statements.insert.get(
          instanceId?.toLowerCase() ?? standIn(link ?? ""),
          instanceId ?? null,
          link ?? null,
          agentId ?? null,
          status ?? null,
          window?.start.toISOString() ?? null,
          window?.end.toISOString() ?? null,
          now().toISOString(),
        ),
      ) ?? lost();
    if (link) statements.addLink.run(link, item);
    return item;
  };

  return {
    select: async (refs) => transaction(db, () => select(refs)),
    selectStored: async (filter) => {
      const { clause, values } = where(filter);
      return db
        .prepare(`insert into temp.selected select item from items i ${clause} on conflict do nothing`)
        .run(...values).changes;
    },
    commit: async (outcomes) => {
      const prepared = await Promise.all(outcomes.map(ready));
      transaction(db, () => commit(prepared));
    },
    look: async (refs) =>
      refs.map(({ instanceId, link }) => {
        const known = one<{ item: number }>(
          instanceId ? statements.byKey.get(instanceId.toLowerCase()) : statements.byLink.get(link ?? ""),
        );
        return known && one<ChosenRow>(statements.chosen.get(known.item))?.state;
      }),
    counts: async () =>
      countStates(
        db,
        "select i.state, count(*) as n from temp.selected s join items i on i.item = s.item group by i.state",
      ),
    unsettledWindows: async (agentId, since) =>
      (statements.unsettled.all(agentId, since.toISOString()) as { window_start: string; window_end: string }[]).map(
        windowOf,
      ),
  };
};

interface ChosenRow {
  item: number;
  state: State;
  key: string;
  instance_id: string | null;
  link: string | null;
  agent_id: string | null;
  window_start: string | null;
  window_end: string | null;
  seen_at: string;
  attempts: number;
  described: number;
  error_code: string | null;
}

const windowOf = ({ window_start, window_end }: { window_start: string; window_end: string }): Window => ({
  start: new Date(window_start),
  end: new Date(window_end),
});

const selectedOf = (row: ChosenRow): Omit<Selected, "added"> => {
  const { link, agent_id, window_start, window_end } = row;
  const known =
    row.instance_id === null && link !== null && agent_id !== null && window_start !== null && window_end !== null
      ? { link, agentId: agent_id, window: windowOf({ window_start, window_end }) }
      : undefined;
  return {
    item: row.item,
    state: row.state,
    seenAt: new Date(row.seen_at),
    attempts: row.attempts,
    described: row.described === 1,
    ...(row.instance_id !== null && { instanceId: row.instance_id }),
    ...(row.error_code !== null && { code: row.error_code }),
    ...(known && { known }),
  };
};

/** Prepared once: preparing costs more than most of these take. */
const prepare = (db: Db) => ({
  byKey: db.prepare("select item from items where key = ?"),
  byLink: db.prepare("select item from links where link = ?"),
  insert: db.prepare(
    `insert into items (key, instance_id, link, agent_id, status, window_start, window_end, seen_at, state)
     values (?, ?, ?, ?, ?, ?, ?, ?, 'pending') returning item`,
  ),
  touch: db.prepare(
    `update items set agent_id = coalesce(agent_id, ?), window_start = coalesce(?, window_start),
       window_end = coalesce(?, window_end) where item = ?`,
  ),
  addLink: db.prepare("insert into links (link, item) values (?, ?) on conflict do nothing"),
  moveLinks: db.prepare("update links set item = ? where item = ?"),
  chosen: db.prepare(
    `select item, state, key, instance_id, link, agent_id, window_start, window_end, seen_at, attempts, described,
       error_code from items where item = ?`,
  ),
  addSelected: db.prepare("insert into temp.selected (item) values (?) on conflict do nothing"),
  dropSelected: db.prepare("delete from temp.selected where item = ?"),
  twin: db.prepare("select item, state from items where key = ? and item <> ?"),
  nameless: db.prepare(
    `select i.item, i.state from links l join items i on i.item = l.item
     where l.link = ? and i.item <> ? and i.instance_id is null`,
  ),
  name: db.prepare("update items set key = ?, instance_id = ? where item = ?"),
  adopt: db.prepare(
    `update items as known set agent_id = coalesce(known.agent_id, late.agent_id),
       link = coalesce(known.link, late.link), window_start = coalesce(late.window_start, known.window_start),
       window_end = coalesce(late.window_end, known.window_end)
     from items as late where late.item = ? and known.item = ?`,
  ),
  remove: db.prepare("delete from items where item = ?"),
  settle: db.prepare(
    `update items set state = ?, key = coalesce(?, key), instance_id = coalesce(?, instance_id),
       link = coalesce(?, link), status = coalesce(?, status), described = max(described, ?),
       started_at = coalesce(?, started_at), sha256 = coalesce(?, sha256), bytes = coalesce(?, bytes),
       attempts = attempts + ?, error_code = ?, error_message = ?, error_request_id = ?, error_status = ?, error_at = ?
     -- A good document is never given up for less.
     where item = ? and (state <> 'fetched' or ? = 'fetched')`,
  ),
  meta: db.prepare("select codec, meta from documents where item = ?"),
  putDocument: db.prepare(
    `insert into documents (item, codec, body, meta) values (?, ?, ?, ?)
     on conflict (item) do update set codec = excluded.codec, body = excluded.body,
       meta = coalesce(excluded.meta, documents.meta)`,
  ),
  putMeta: db.prepare("update documents set meta = ? where item = ?"),
  unsettled: db.prepare(
    `select distinct window_start, window_end from items
     where agent_id = ? and window_start is not null and seen_at > ?
       and (state in ('pending', 'open', 'failed') or (state = 'invalid' and error_code = 'NotJson'))`,
  ),
});

const lost = (): never => {
  throw new Error("The archive gave no item for a reference.");
};
