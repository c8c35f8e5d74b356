import {
  type Ledger,
  type Outcome,
  type Ref,
  type Selected,
  STATES,
  type State,
  type Window,
} from "../core/archive.ts";
import type { Member } from "./block.ts";
import { bytesOf, changes, metaOf } from "./changes.ts";
import { type CurrentRow, prepare } from "./ledger-sql.ts";
import { type Db, transaction } from "./open.ts";
import { type Agents, digestOf, insertStored, one, standIn, standsFor } from "./rows.ts";
import type { Ready, Store } from "./store.ts";

/** What was selected, and what came of it. `held` throws when this connection may no longer write. */
export const ledger = (db: Db, now: () => Date, held: () => void, agents: Agents, store: Store): Ledger => {
  db.exec("create temp table selected (item integer primary key)");
  const statements = prepare(db);

  const current = (item: number): CurrentRow => one<CurrentRow>(statements.current.get(item)) ?? lost();

  /** The older item, if a call turns out to be one that the archive knew already: by its id, or by its address. */
  const twinOf = ({ item, key }: CurrentRow, id: string | undefined, link: Buffer | undefined): number | undefined => {
    const twin = id === undefined || id === key ? undefined : one<{ item: number }>(statements.twin.get(id, item));
    if (twin || link === undefined || standIn(link) === key) return twin?.item;
    return one<{ item: number }>(statements.nameless.get(link, item))?.item;
  };

  /** The older item stands for both. */
  const unite = (late: CurrentRow, known: number, instanceId: string | undefined): void => {
    const link = standsFor(late.key);
    if (link) statements.moveLink.run(known, link, late.item);
    (link ? statements.moveMore : statements.moveLinks).run(known, late.item);
    statements.adopt.run(late.item, known);
    statements.dropSelected.run(late.item);
    statements.addSelected.run(known);
    statements.remove.run(late.item);
    if (instanceId !== undefined) statements.name.run(instanceId.toLowerCase(), spelling(instanceId), known);
  };

  const commit = (outcomes: readonly Outcome[], thought: readonly (Member | undefined)[], prepared: Ready[]): void => {
    held();
    const change = changes(store);
    for (const [at, outcome] of outcomes.entries()) {
      const { instanceId, document } = outcome;
      const link = outcome.link === undefined ? undefined : digestOf(outcome.link);
      let known = current(outcome.item);
      const twin = twinOf(known, instanceId?.toLowerCase(), link);
      if (twin !== undefined) {
        change.leave(known);
        unite(known, twin, instanceId);
        known = current(twin);
      }
      if (link && standIn(link) !== known.key) statements.addLink.run(link, known.item);
      // What was deleted stays deleted, under whatever address it is met.
      if (known.state === "pruned") continue;
      const before = change.before(known);
      const saidBefore = metaOf(before);
      // List knows less than describe: what was said before and is not said now stays.
      const said = outcome.meta && { ...saidBefore, ...outcome.meta };
      const last = said ?? saidBefore;
      const address = outcome.link ?? (known.link === "" ? saidBefore?.CallLogUrl : known.link) ?? null;
      // Two addresses of one call: the document that came first stays.
      const stays = twin !== undefined && known.state === "fetched";
      if (!stays && !settle(known, outcome)) continue;
      const planned = thought[at];
      if (document && !stays) {
        const asPlanned = planned?.item === known.item && saidBefore === undefined;
        const meta = said ? bytesOf(said) : before?.meta;
        change.put(
          known,
          asPlanned && planned ? planned : { item: known.item, document: document.bytes, ...(meta && { meta }) },
        );
      } else if (said && before) change.put(known, { ...before, meta: bytesOf(said) });
      const stored = change.before(known);
      statements.said.run(
        stored?.meta?.length ?? null,
        stored?.meta && address === last?.CallLogUrl ? "" : address,
        known.item,
      );
    }
    change.finish(prepared);
  };

  /** False when what is there is better. */
  const settle = ({ item }: CurrentRow, outcome: Outcome): boolean => {
    const { error, document, instanceId } = outcome;
    const { changes: changed } = statements.settle.run(
      outcome.state,
      instanceId?.toLowerCase() ?? null,
      instanceId === undefined ? 0 : 1,
      instanceId === undefined ? 0 : 1,
      instanceId === undefined ? null : spelling(instanceId),
      outcome.status ?? null,
      outcome.meta && "GmtCreate" in outcome.meta ? 1 : 0,
      outcome.startedAt === undefined ? null : Date.parse(outcome.startedAt),
      document ? Buffer.from(document.sha256, "hex") : null,
      document?.bytes.length ?? null,
      outcome.state === "fetched" ? 0 : 1,
      error?.code ?? null,
      error?.message ?? null,
      error?.requestId ?? null,
      error?.status ?? null,
      error ? now().toISOString() : null,
      now().getTime(),
      item,
      outcome.state,
    );
    return changed > 0;
  };

  const select = (refs: readonly Ref[]): Selected[] =>
    refs.map((ref) => {
      const row = current(found(ref) ?? added(ref));
      return { ...selectedOf(row), added: statements.addSelected.run(row.item).changes > 0 };
    });

  // In a list: libsql takes a lone buffer for an object of named values, and ends the process.
  const itemOf = ({ instanceId, link }: Ref): number | undefined =>
    one<{ item: number }>(
      instanceId ? statements.byKey.get(instanceId.toLowerCase()) : statements.byLink.get([digestOf(link ?? "")]),
    )?.item;

  const found = (ref: Ref): number | undefined => {
    const { instanceId, link, agentId, window } = ref;
    const item = itemOf(ref);
    if (item !== undefined && (agentId || window))
      statements.touch.run(
        agentId === undefined ? null : agents.number(agentId),
        window?.start.getTime() ?? null,
        window?.end.getTime() ?? null,
        item,
      );
    if (item !== undefined && instanceId && link) statements.addLink.run(digestOf(link), item);
    return item;
  };

  const added = ({ instanceId, link, agentId, status, window }: Ref): number => {
    const digest = digestOf(link ?? "");
    const { item } =
      one<{ item: number }>(
        statements.insert.get(
          instanceId?.toLowerCase() ?? standIn(digest),
          instanceId === undefined ? 0 : 1,
          instanceId === undefined ? null : spelling(instanceId),
          link ?? null,
          agentId === undefined ? null : agents.number(agentId),
          status ?? null,
          window?.start.getTime() ?? null,
          window?.end.getTime() ?? null,
          now().getTime(),
        ),
      ) ?? lost();
    if (link) statements.firstLink.run(digest, item, instanceId ? 1 : 0);
    return item;
  };

  return {
    select: async (refs) =>
      transaction(db, () => {
        held();
        return select(refs);
      }),
    selectStored: async (filter) => insertStored(db, "insert into temp.selected", filter),
    commit: async (outcomes) => {
      const thought = outcomes.map(({ item, document, meta }) =>
        document ? { item, document: document.bytes, ...(meta && { meta: bytesOf(meta) }) } : undefined,
      );
      const prepared = await store.prepared(thought.flatMap((member) => member ?? []));
      transaction(db, () => commit(outcomes, thought, prepared));
      await store.keepUp();
    },
    look: async (refs) =>
      refs.map((ref) => {
        const item = itemOf(ref);
        return item === undefined ? undefined : current(item).state;
      }),
    counts: async () => {
      const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
      for (const { state, n } of statements.counts.all() as { state: State; n: number }[]) counts[state] = n;
      return counts;
    },
    unsettledWindows: async (agentId, since) =>
      (statements.unsettled.all(agentId, since.getTime()) as { window_start: number; window_end: number }[]).map(
        windowOf,
      ),
  };
};

/** The id as it is written, where that is not its key. */
const spelling = (id: string): string | null => (id === id.toLowerCase() ? null : id);

const windowOf = ({ window_start, window_end }: { window_start: number; window_end: number }): Window => ({
  start: new Date(window_start),
  end: new Date(window_end),
});

const selectedOf = (row: CurrentRow): Omit<Selected, "added"> => {
  const { link, agent_id, window_start, window_end } = row;
  const known =
    row.named === 0 && link && agent_id !== null && window_start !== null && window_end !== null
      ? { link, agentId: agent_id, window: windowOf({ window_start, window_end }) }
      : undefined;
  return {
    item: row.item,
    state: row.state,
    seenAt: new Date(row.seen_at),
    attempts: row.attempts,
    described: row.described === 1,
    ...(row.named === 1 && { instanceId: row.instance_id ?? row.key }),
    ...(row.error_code !== null && { code: row.error_code }),
    ...(known && { known }),
  };
};

const lost = (): never => {
  throw new Error("The archive gave no item for a reference.");
};
