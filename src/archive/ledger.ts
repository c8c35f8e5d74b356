import type { Ledger } from "../core/archive.ts";
import { parseMeta } from "../core/raw-record.ts";
import type { Outcome, SameIdConflict } from "../core/records.ts";
import { digestOf, standIn, standsFor } from "../core/stand-in.ts";
import { isFinal, STATES, type State } from "../core/state.ts";
import type { Member } from "./block.ts";
import { bytesOf, changes } from "./changes.ts";
import { type CurrentRow, prepare, standingIn } from "./ledger-sql.ts";
import { type Db, transaction } from "./open.ts";
import { type Agents, insertStored, lost, one, spelling } from "./rows.ts";
import { type Contender, isSameId, sameId } from "./same-id.ts";
import { selecting, windowOf } from "./selecting.ts";
import type { PreparedBlock, Store } from "./store.ts";

/** What was selected, and what came of it. `held` throws when this connection may no longer write. */
export const ledger = (db: Db, now: () => Date, held: () => void, agents: Agents, store: Store): Ledger => {
  db.exec("create temp table selected (item integer primary key, batch integer)");
  const statements = prepare(db);
  const { known, select } = selecting(statements, agents, now);

  // Items that were united with others: a run may still hold their numbers.
  const unitedWith = new Map<number, number>();
  const current = (item: number): CurrentRow => {
    let stands = item;
    for (let next = unitedWith.get(stands); next !== undefined; next = unitedWith.get(stands)) stands = next;
    return one<CurrentRow>(statements.current.get(stands)) ?? lost();
  };

  /** The item that has the id already. */
  type Twin = Pick<Contender, "item" | "state" | "sha256">;
  const namesake = ({ item, key }: CurrentRow, id: string | undefined): Twin | undefined =>
    id === undefined || id === key ? undefined : one<Twin>(statements.twin.get(id, item));

  /**
  The older item, if a call turns out to be one that the archive knew already: by its id, or by its address, which is
  remembered on the way.
  */
  const twinOf = ({ item, key }: CurrentRow, twin: Twin | undefined, link: Buffer | undefined): number | undefined => {
    if (link === undefined || standIn(link) === key) return twin?.item;
    // An address that nobody knew leads to no other.
    if (statements.addLink.run(link, item).changes > 0) return twin?.item;
    return (twin ?? one<{ item: number }>(statements.nameless.get(link, item)))?.item;
  };

  /** The older item stands for both. */
  const unite = (late: CurrentRow, known: number, instanceId: string | undefined): void => {
    const link = standsFor(late.key);
    if (link) statements.moveLink.run(known, link, late.item);
    // One that was set aside began with another address than the one it is known by.
    (link && !isSameId(late) ? statements.moveMore : statements.moveLinks).run(known, late.item);
    statements.adopt.run(late.item, known);
    statements.adoptReport.run(known, late.item);
    statements.dropSelected.run(late.item);
    statements.addSelected.run(0, JSON.stringify([known]));
    statements.remove.run(late.item);
    unitedWith.set(late.item, known);
    if (instanceId !== undefined) statements.name.run(instanceId.toLowerCase(), spelling(instanceId), known);
  };

  const contested = sameId({ statements, now, current, unite: (late, known) => unite(late, known, undefined) });

  const commit = (
    outcomes: readonly Outcome[],
    thought: readonly (Member | undefined)[],
    prepared: PreparedBlock[],
  ): SameIdConflict[] => {
    held();
    const change = changes(store);
    const conflicts: SameIdConflict[] = [];
    const rows = standingIn(statements.byItems.get(JSON.stringify(outcomes.map(({ item }) => item))));
    let united = false;
    for (const [at, outcome] of outcomes.entries()) {
      const { instanceId, document } = outcome;
      const link = outcome.link === undefined ? undefined : digestOf(outcome.link);
      // What two items became may be what a later outcome is of.
      let known = contested.belongsTo((united ? undefined : rows[at]) ?? current(outcome.item), outcome, link);
      const { key: keyBefore } = known;
      const id = instanceId?.toLowerCase();
      const namely = namesake(known, id);
      const isApart = contested.isApart(known, outcome, namely);
      const twin = isApart ? undefined : twinOf(known, namely, link);
      if (twin !== undefined) {
        change.leave(known);
        unite(known, twin, instanceId);
        united = true;
        known = current(twin);
      }
      // What was deleted stays deleted, under whatever address it is met.
      if (known.state === "pruned") continue;
      // Nor is a document that was set aside given up for less.
      if (isSameId(known) && !(document && outcome.state === "fetched")) continue;
      const before = change.before(known);
      const saidBefore = before?.meta && parseMeta(before.meta);
      // List knows less than describe: what was said before and is not said now stays.
      const said = outcome.meta && { ...saidBefore, ...outcome.meta };
      // Two addresses of one call: the document that came first stays.
      const stays = twin !== undefined && known.state === "fetched";
      let next = before;
      if (document && !stays) {
        const planned = thought[at];
        if (planned?.item === known.item && saidBefore === undefined) next = planned;
        else {
          const meta = said ? bytesOf(said) : before?.meta;
          next = { item: known.item, document: document.bytes, ...(meta && { meta }) };
        }
      } else if (said && before) next = { ...before, meta: bytesOf(said) };
      const address = outcome.link ?? (known.link === "" ? saidBefore?.CallLogUrl : known.link) ?? null;
      const place = {
        said: next?.meta?.length ?? null,
        link: next?.meta && address === (said ?? saidBefore)?.CallLogUrl ? "" : address,
      };
      if (stays) statements.said.run(place.said, place.link, known.item);
      else if (!settle(known, outcome, isApart ? undefined : instanceId, place)) continue;
      if (next && next !== before) change.put(known, next);
      if (isApart && instanceId !== undefined)
        conflicts.push(contested.settle(known.item, instanceId, link, change.leave));
      else contested.review([keyBefore, id], change.leave);
      united ||= isApart;
    }
    change.finish(prepared);
    return conflicts;
  };

  /** False when what is there is better. */
  const settle = (
    { item }: CurrentRow,
    outcome: Outcome,
    instanceId: string | undefined,
    place: { said: number | null; link: unknown },
  ): boolean => {
    const { error, document } = outcome;
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
      outcome.state,
    );
    return changed > 0;
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
    listing: async (item) => {
      const row = current(item);
      const { link, agent, window_start, window_end } = row;
      if (agent === null || window_start === null || window_end === null) return undefined;
      const said = link === "" && row.block !== null ? store.membersOf(row.block).get(item)?.meta : undefined;
      const address = said ? parseMeta(said).CallLogUrl : link;
      if (typeof address !== "string" || address === "") return undefined;
      return { link: address, agentId: agents.id(agent), window: windowOf({ window_start, window_end }) };
    },
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
      const conflicts = transaction(db, () => commit(outcomes, thought, prepared));
      await store.keepUp();
      return conflicts;
    },
    look: async (refs) => {
      const rows = known(refs);
      return refs.map((_, at) => rows[at]?.state);
    },
    settled: async (refs) => {
      const rows = known(refs);
      return refs.map((_, at) => {
        const row = rows[at];
        return row !== undefined && (isFinal(row.state) || row.acknowledged === 1);
      });
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
