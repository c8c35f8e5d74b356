import {
  type Ledger,
  type Outcome,
  type Ref,
  type Selected,
  STATES,
  type State,
  type Window,
} from "../core/archive.ts";
import { jsonOf } from "../core/text.ts";
import type { Member } from "./block.ts";
import { bytesOf, changes, metaOf } from "./changes.ts";
import { type CurrentRow, prepare, standingIn } from "./ledger-sql.ts";
import { type Db, transaction } from "./open.ts";
import { type Agents, digestOf, insertStored, one, standIn, standsFor } from "./rows.ts";
import type { Ready, Store } from "./store.ts";

/** What was selected, and what came of it. `held` throws when this connection may no longer write. */
export const ledger = (db: Db, now: () => Date, held: () => void, agents: Agents, store: Store): Ledger => {
  db.exec("create temp table selected (item integer primary key, batch integer)");
  const statements = prepare(db);
  let batch = 0;

  const current = (item: number): CurrentRow => one<CurrentRow>(statements.current.get(item)) ?? lost();

  /**
  The older item, if a call turns out to be one that the archive knew already: by its id, or by its address, which is
  remembered on the way.
  */
  const twinOf = ({ item, key }: CurrentRow, id: string | undefined, link: Buffer | undefined): number | undefined => {
    const twin = id === undefined || id === key ? undefined : one<{ item: number }>(statements.twin.get(id, item));
    if (link === undefined || standIn(link) === key) return twin?.item;
    // An address that nobody knew leads to no other.
    if (statements.addLink.run(link, item).changes > 0) return twin?.item;
    return (twin ?? one<{ item: number }>(statements.nameless.get(link, item)))?.item;
  };

  /** The older item stands for both. */
  const unite = (late: CurrentRow, known: number, instanceId: string | undefined): void => {
    const link = standsFor(late.key);
    if (link) statements.moveLink.run(known, link, late.item);
    (link ? statements.moveMore : statements.moveLinks).run(known, late.item);
    statements.adopt.run(late.item, known);
    statements.dropSelected.run(late.item);
    statements.addSelected.run(batch, JSON.stringify([known]));
    statements.remove.run(late.item);
    if (instanceId !== undefined) statements.name.run(instanceId.toLowerCase(), spelling(instanceId), known);
  };

  const commit = (outcomes: readonly Outcome[], thought: readonly (Member | undefined)[], prepared: Ready[]): void => {
    held();
    const change = changes(store);
    const rows = standingIn(statements.byItems.get(JSON.stringify(outcomes.map(({ item }) => item))));
    let united = false;
    for (const [at, outcome] of outcomes.entries()) {
      const { instanceId, document } = outcome;
      const link = outcome.link === undefined ? undefined : digestOf(outcome.link);
      // What two items became may be what a later outcome is of.
      let known = united ? current(outcome.item) : (rows[at] ?? lost());
      const twin = twinOf(known, instanceId?.toLowerCase(), link);
      if (twin !== undefined) {
        change.leave(known);
        unite(known, twin, instanceId);
        united = true;
        known = current(twin);
      }
      // What was deleted stays deleted, under whatever address it is met.
      if (known.state === "pruned") continue;
      const before = change.before(known);
      const saidBefore = metaOf(before);
      // List knows less than describe: what was said before and is not said now stays.
      const said = outcome.meta && { ...saidBefore, ...outcome.meta };
      const meta = said ? undefined : before?.meta;
      // Two addresses of one call: the document that came first stays.
      const stays = twin !== undefined && known.state === "fetched";
      let next = before;
      if (document && !stays) {
        const planned = thought[at];
        const all = said ? bytesOf(said) : meta;
        next =
          planned?.item === known.item && saidBefore === undefined
            ? planned
            : { item: known.item, document: document.bytes, ...(all && { meta: all }) };
      } else if (said && before) next = { ...before, meta: bytesOf(said) };
      const address = outcome.link ?? (known.link === "" ? saidBefore?.CallLogUrl : known.link) ?? null;
      const place = {
        said: next?.meta?.length ?? null,
        link: next?.meta && address === (said ?? saidBefore)?.CallLogUrl ? "" : address,
      };
      if (stays) statements.said.run(place.said, place.link, known.item);
      else if (!settle(known, outcome, place)) continue;
      if (next && next !== before) change.put(known, next);
    }
    change.finish(prepared);
  };

  /** False when what is there is better. */
  const settle = ({ item }: CurrentRow, outcome: Outcome, place: { said: number | null; link: unknown }): boolean => {
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
      place.said,
      place.link,
      now().getTime(),
      item,
      outcome.state,
    );
    return changed > 0;
  };

  /** How these stand, undefined where one is not known. */
  const known = (refs: readonly Ref[]): (CurrentRow | undefined)[] => {
    const ids = refs.map(({ instanceId }) => instanceId?.toLowerCase() ?? null);
    const rows = standingIn(statements.byKeys.get(jsonOf(ids)));
    if (refs.every(({ instanceId }) => instanceId)) return rows;
    const links = refs.map(({ instanceId, link }) => (instanceId ? null : digestOf(link ?? "").toString("hex")));
    for (const [at, row] of standingIn(statements.byLinks.get(jsonOf(links))).entries()) rows[at] ??= row;
    return rows;
  };

  const select = (refs: readonly Ref[]): Selected[] => {
    // What brings both an id and an address can make one call of two that come after it. Neither ids nor listings do.
    if (refs.length > 1 && refs.some(({ instanceId, link }) => instanceId && link))
      return refs.flatMap((ref) => select([ref]));
    const before = known(refs);
    const fresh = new Set<Ref>();
    const names = new Set<string>();
    for (const [at, ref] of refs.entries()) {
      if (before[at]) continue;
      const name = nameOf(ref);
      if (!names.has(name)) fresh.add(ref);
      names.add(name);
    }
    if (fresh.size > 0) add([...fresh]);
    const rows = (fresh.size > 0 ? known(refs) : before).map((row) => row ?? lost());
    const items = new Set(rows.map(({ item }) => item));
    const all = items.size < rows.length ? onePerItem(rows) : rows;
    for (const [at, ref] of refs.entries()) if (!fresh.has(ref)) touch(all[at] ?? lost(), ref);
    const added = addSelected(items);
    // Of calls that are met twice in a batch, the first is the one that was added.
    return all.map((row) => selectedOf(row, added.delete(row.item), agents));
  };

  /** Those that the selection did not hold. */
  const addSelected = (items: Set<number>): Set<number> => {
    batch += 1;
    const list = JSON.stringify([...items]);
    if (statements.addSelected.run(batch, list).changes === items.size) return items;
    return new Set(JSON.parse((statements.selectedIn.get(list, batch) as { items: string }).items));
  };

  /** Where a call was met again. */
  const touch = (row: CurrentRow, { instanceId, link, agentId, window }: Ref): void => {
    const [start, end] = [window?.start.getTime() ?? row.window_start, window?.end.getTime() ?? row.window_end];
    if ((agentId && row.agent === null) || start !== row.window_start || end !== row.window_end) {
      const agent = agentId === undefined ? null : agents.number(agentId);
      statements.touch.run(agent, start, end, row.item);
      row.agent ??= agent;
      row.window_start = start;
      row.window_end = end;
    }
    if (instanceId && link) statements.addLink.run(digestOf(link), row.item);
  };

  const add = (refs: readonly Ref[]): void => {
    const seenAt = now().getTime();
    const ids = new Set(refs.flatMap(({ agentId }) => agentId ?? []));
    const numbers = new Map([...ids].map((id) => [id, agents.number(id)]));
    const rows = refs.map((ref) => {
      const { instanceId, link, agentId, status, window } = ref;
      return [
        nameOf(ref),
        instanceId === undefined ? 0 : 1,
        instanceId === undefined ? null : spelling(instanceId),
        link ?? null,
        agentId === undefined ? null : numbers.get(agentId),
        status ?? null,
        window?.start.getTime() ?? null,
        window?.end.getTime() ?? null,
        seenAt,
      ];
    });
    statements.insert.run(jsonOf(rows));
    const links = refs.flatMap(({ instanceId, link }, at) =>
      link ? [[digestOf(link).toString("hex"), rows[at]?.[0], instanceId ? 1 : 0]] : [],
    );
    if (links.length > 0) statements.firstLinks.run(jsonOf(links));
  };

  /** Whether these starts, sorted, go on from those of the commit before, in either direction, but for some stragglers. */
  const isOnward = (starts: readonly number[]): boolean => {
    if (starts.length === 0) return false;
    const at = (share: number): number => starts[Math.floor(share * (starts.length - 1))] ?? 0;
    const isOn = at(0.1) >= middle || at(0.9) <= middle;
    middle = at(0.5);
    return isOn;
  };
  let middle = Number.NaN;

  return {
    select: async (refs) =>
      transaction(db, () => {
        held();
        return select(refs);
      }),
    selectStored: async (filter) => insertStored(db, "insert into temp.selected (item)", filter),
    commit: async (unordered) => {
      // Those that began one after the other lie next to each other.
      const outcomes = unordered.toSorted((one, other) => startOf(one) - startOf(other));
      const thought = outcomes.map(({ item, document, meta }) =>
        document ? { item, document: document.bytes, ...(meta && { meta: bytesOf(meta) }) } : undefined,
      );
      const prepared = await store.prepared(
        thought.flatMap((member) => member ?? []),
        isOnward(outcomes.flatMap(({ document, startedAt }) => (document && startedAt ? [Date.parse(startedAt)] : []))),
      );
      transaction(db, () => commit(outcomes, thought, prepared));
      await store.keepUp();
    },
    look: async (refs) => {
      const rows = known(refs);
      return refs.map((_, at) => rows[at]?.state);
    },
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

/** In milliseconds; unknown ones come last. */
const startOf = ({ startedAt }: Outcome): number =>
  startedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(startedAt);

/** One row for each item, however often it is met. */
const onePerItem = (rows: readonly CurrentRow[]): CurrentRow[] => {
  const byItem = new Map(rows.map((row) => [row.item, row]));
  return rows.map((row) => byItem.get(row.item) ?? row);
};

/** What a call is known by. */
const nameOf = ({ instanceId, link }: Ref): string => instanceId?.toLowerCase() ?? standIn(digestOf(link ?? ""));

/** The id as it is written, where that is not its key. */
const spelling = (id: string): string | null => (id === id.toLowerCase() ? null : id);

const windowOf = ({ window_start, window_end }: { window_start: number; window_end: number }): Window => ({
  start: new Date(window_start),
  end: new Date(window_end),
});

const selectedOf = (row: CurrentRow, added: boolean, agents: Agents): Selected => {
  const { link, agent, window_start, window_end } = row;
  // Key by key: this runs for every call of every run, and what is generic costs more than all the rest.
  const selected: Selected = {
    item: row.item,
    state: row.state,
    added,
    seenAt: new Date(row.seen_at),
    attempts: row.attempts,
    described: row.described === 1,
  };
  if (row.named === 1) selected.instanceId = row.instance_id ?? row.key;
  else if (link && agent !== null && window_start !== null && window_end !== null)
    selected.known = { link, agentId: agents.id(agent), window: windowOf({ window_start, window_end }) };
  if (row.error_code !== null) selected.code = row.error_code;
  return selected;
};

const lost = (): never => {
  throw new Error("The archive gave no item for a reference.");
};
