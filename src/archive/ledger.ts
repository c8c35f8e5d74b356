import type { Ledger } from "../core/archive.ts";
import { checkIds } from "../core/ids.ts";
import { parseMeta } from "../core/raw-conversation.ts";
import type { Outcome, SameIdConflict } from "../core/records.ts";
import { digestOf, linkDigestOf, standIn } from "../core/stand-in.ts";
import { isFinal, STATES, type State } from "../core/state.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Member } from "./block.ts";
import type { ChangeLog } from "./change-log.ts";
import { bytesOf, changes } from "./changes.ts";
import { type CurrentRow, parseCurrentRows, prepare } from "./ledger-sql.ts";
import { type Db, transaction } from "./open.ts";
import type { RecordPlaces } from "./record-places.ts";
import { type Agents, callKey, firstRow, insertStored, shownState, spellingOf, throwMissingItem } from "./rows.ts";
import { type ClaimRow, isSetAside, sameId } from "./same-id.ts";
import { selecting, windowOf } from "./selecting.ts";
import type { SessionIndex } from "./sessions.ts";
import type { PreparedBlock, Store } from "./store.ts";

/** The ledger in SQLite. `assertLocked` throws when this connection has lost the lock and may no longer write. */
export const ledger = (
  db: Db,
  now: () => Date,
  assertLocked: () => void,
  agents: Agents,
  store: Store,
  changeLog: ChangeLog,
  places: RecordPlaces,
  sessions: SessionIndex,
  settledBefore: number,
): Ledger => {
  const statements = prepare(db);
  const countsBy = (state: string) =>
    db.prepare(
      `select ${state} as state, count(*) as n from temp.selected s cross join items i on i.item = s.item group by 1`,
    );
  const countsShown = countsBy(shownState(settledBefore));
  const countsOfLogs = countsBy("i.state");
  const { known, select } = selecting(statements, agents, now);

  // Merged items and the item that remains: a run may still use the old numbers.
  const mergedInto = new Map<number, number>();
  const current = (item: number): CurrentRow => {
    let survivor = item;
    for (let next = mergedInto.get(item); next !== undefined; next = mergedInto.get(next)) survivor = next;
    return firstRow<CurrentRow>(statements.currentRow.get(survivor)) ?? throwMissingItem();
  };

  type OlderItem = Pick<ClaimRow, "item" | "state" | "sha256">;
  /** Another item that has this id. */
  const itemWithId = ({ item, key }: CurrentRow, id: string | undefined): OlderItem | undefined =>
    id === undefined || id === key ? undefined : firstRow<OlderItem>(statements.findOtherWithId.get(id, item));

  /**
  The older item of the same call, found by its id or by its link. Also records the link for the item.
  */
  const findOlder = (
    { item, key }: CurrentRow,
    sameId: OlderItem | undefined,
    link: Buffer | undefined,
  ): number | undefined => {
    if (link === undefined || standIn(link) === key) return sameId?.item;
    // The link is new, so no other item has it.
    if (statements.addLink.run(link, item).changes > 0) return sameId?.item;
    return (sameId ?? firstRow<{ item: number }>(statements.findNameless.get(link, item)))?.item;
  };

  /** Merges a newer item into an older one of the same call. */
  const mergeItems = (newer: CurrentRow, older: number, instanceId: string | undefined): void => {
    const link = linkDigestOf(newer.key);
    if (link) statements.moveLink.run(older, link, newer.item);
    // The key of an item that was set aside is not the link that it began with, so all its links are moved.
    (link && !isSetAside(newer) ? statements.moveMore : statements.moveLinks).run(older, newer.item);
    statements.mergeColumns.run(newer.item, older);
    statements.mergeReport.run(older, newer.item);
    if (newer.last_at !== null) places.moveAll(newer.item, older);
    statements.dropSelected.run(newer.item);
    statements.addSelected.run(0, JSON.stringify([older]));
    statements.deleteItem.run(newer.item);
    mergedInto.set(newer.item, older);
    if (instanceId !== undefined) statements.setId.run(callKey(instanceId), spellingOf(instanceId), older);
  };

  const idConflicts = sameId({
    statements,
    now,
    current,
    changeLog,
    mergeItems: (newer, older) => mergeItems(newer, older, undefined),
  });

  const commit = (
    outcomes: readonly Outcome[],
    expected: readonly (Member | undefined)[],
    prepared: PreparedBlock[],
  ): SameIdConflict[] => {
    assertLocked();
    const change = changes(store);
    const conflicts: SameIdConflict[] = [];
    const touchedSessions = new Set<string>();
    const rows = parseCurrentRows(statements.byItems.get(JSON.stringify(outcomes.map(({ item }) => item))));
    let merged = false;
    for (const [at, outcome] of outcomes.entries()) {
      const { instanceId, document } = outcome;
      const link = outcome.link === undefined ? undefined : digestOf(outcome.link);
      // After a merge or a conflict the rows read above may be outdated.
      let known = idConflicts.itemFor((merged ? undefined : rows[at]) ?? current(outcome.item), outcome, link);
      const { key: keyBefore } = known;
      const id = instanceId === undefined ? undefined : callKey(instanceId);
      const holder = itemWithId(known, id);
      const isConflict = idConflicts.hasIdConflict(known, outcome, holder);
      const older = isConflict ? undefined : findOlder(known, holder, link);
      if (older !== undefined) {
        changeLog.beforeChange(older);
        change.remove(known);
        mergeItems(known, older, instanceId);
        merged = true;
        known = current(older);
      }
      // A pruned call stays deleted, under each of its links.
      if (known.state === "pruned") continue;
      // A failure does not replace a document that was set aside.
      if (isSetAside(known) && !(document && outcome.state === "fetched")) continue;
      const before = change.currentMember(known);
      const metaBefore = before?.meta && parseMeta(before.meta);
      // List returns fewer fields than describe: fields that are not in the new answer stay.
      const newMeta = outcome.meta && { ...metaBefore, ...outcome.meta };
      // Two links of one call: the document that was stored first stays.
      const keepsDocument = older !== undefined && known.state === "fetched";
      let next = before;
      if (document && !keepsDocument) {
        const expectedMember = expected[at];
        if (expectedMember?.item === known.item && metaBefore === undefined) next = expectedMember;
        else {
          const meta = newMeta ? bytesOf(newMeta) : before?.meta;
          next = { item: known.item, document: document.bytes, ...(meta && { meta }) };
        }
      } else if (newMeta && before) next = { ...before, meta: bytesOf(newMeta) };
      const address = outcome.link ?? (known.link === "" ? metaBefore?.CallLogUrl : known.link) ?? null;
      const hasRecords = known.last_at !== null;
      if (
        older === undefined &&
        (known.state === "fetched" || hasRecords) &&
        isChanged(known, outcome, before, newMeta)
      )
        changeLog.beforeChange(known.item);
      const stored = {
        metaBytes: next?.meta?.length ?? null,
        link: next?.meta && address === (newMeta ?? metaBefore)?.CallLogUrl ? "" : address,
      };
      if (keepsDocument) statements.setMeta.run(stored.metaBytes, stored.link, known.item);
      else if (!settle(known, outcome, isConflict ? undefined : instanceId, stored)) continue;
      if (next && next !== before) change.put(known, next);
      if (isConflict && instanceId !== undefined)
        conflicts.push(idConflicts.settle(known.item, instanceId, link, change.remove));
      else idConflicts.review([keyBefore, id], change.remove);
      const times = newMeta && sessions.keep(known.item, newMeta);
      if (times) touchedSessions.add(times.sessionId);
      merged ||= isConflict;
    }
    for (const session of touchedSessions) places.placeSession(session, change);
    change.write(prepared);
    return conflicts;
  };

  /** Whether an outcome changes anything that a transcript is made of. */
  const isChanged = (
    { key, named }: CurrentRow,
    { document, instanceId, status }: Outcome,
    before: Member | undefined,
    newMeta: JsonObject | undefined,
  ): boolean =>
    (document !== undefined && !(before && Buffer.from(before.document).equals(document.bytes))) ||
    (newMeta !== undefined && !(before?.meta && Buffer.from(before.meta).equals(bytesOf(newMeta)))) ||
    (instanceId !== undefined && (named === 0 || callKey(instanceId) !== key)) ||
    (status !== undefined && document === undefined);

  /** Writes the outcome to the item's row; false when the stored document is kept instead. */
  const settle = (
    { item }: CurrentRow,
    outcome: Outcome,
    instanceId: string | undefined,
    stored: { metaBytes: number | null; link: unknown },
  ): boolean => {
    const { error, document } = outcome;
    const { changes: changed } = statements.settle.run(
      outcome.state,
      instanceId === undefined ? null : callKey(instanceId),
      instanceId === undefined ? 0 : 1,
      instanceId === undefined ? 0 : 1,
      instanceId === undefined ? null : spellingOf(instanceId),
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
      stored.metaBytes,
      stored.link,
      now().getTime(),
      item,
      outcome.state,
      outcome.state,
    );
    return changed > 0;
  };

  /** Whether nine tenths of these sorted starts lie before, or after, the middle of the previous commit's starts. */
  const continuesOrder = (starts: readonly number[]): boolean => {
    if (starts.length === 0) return false;
    const at = (share: number): number => starts[Math.floor(share * (starts.length - 1))] ?? 0;
    const continues = at(0.1) >= middle || at(0.9) <= middle;
    middle = at(0.5);
    return continues;
  };
  let middle = Number.NaN;

  return {
    select: async (refs) => {
      checkIds(refs.map(({ instanceId }) => instanceId));
      return transaction(db, () => {
        assertLocked();
        return select(refs);
      });
    },
    listing: async (item) => {
      const row = current(item);
      const { link, agent, window_start, window_end } = row;
      if (agent === null || window_start === null || window_end === null) return undefined;
      const meta = link === "" && row.block !== null ? store.membersOf(row.block).get(item)?.meta : undefined;
      const address = meta ? parseMeta(meta).CallLogUrl : link;
      if (typeof address !== "string" || address === "") return undefined;
      return { link: address, agentId: agents.id(agent), window: windowOf({ window_start, window_end }) };
    },
    selectStored: async (filter) => insertStored(db, "insert into temp.selected (item)", filter, settledBefore),
    commit: async (unordered) => {
      checkIds(unordered.map(({ instanceId }) => instanceId));
      // Sorted by start, so that calls of about the same time share a block.
      const outcomes = unordered.toSorted((one, other) => startOf(one) - startOf(other));
      const expected = outcomes.map(({ item, document, meta }) =>
        document ? { item, document: document.bytes, ...(meta && { meta: bytesOf(meta) }) } : undefined,
      );
      const prepared = await store.prepare(
        expected.flatMap((member) => member ?? []),
        continuesOrder(
          outcomes.flatMap(({ document, startedAt }) => (document && startedAt ? [Date.parse(startedAt)] : [])),
        ),
      );
      const conflicts = transaction(db, () => commit(outcomes, expected, prepared));
      await store.compactIfNeeded();
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
    counts: async ({ logs = false } = {}) => {
      const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
      for (const { state, n } of (logs ? countsOfLogs : countsShown).all() as { state: State; n: number }[])
        counts[state] = n;
      return counts;
    },
    unsettledWindows: async (agentId, since) =>
      (statements.unsettled.all(agentId, since.getTime()) as { window_start: number; window_end: number }[]).map(
        windowOf,
      ),
  };
};

/** Start in milliseconds since 1970; unknown starts sort last. */
const startOf = ({ startedAt }: Outcome): number =>
  startedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(startedAt);
