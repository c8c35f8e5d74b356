import type { Outcome, SameIdConflict } from "../core/records.ts";
import { digestOf, standIn } from "../core/stand-in.ts";
import type { ChangeLog } from "./change-log.ts";
import type { CurrentRow, Statements } from "./ledger-sql.ts";
import { callKey, firstRow, spellingOf } from "./rows.ts";

/**
Sorts the call logs that carry one instance id but have different bytes. They are different conversations, and all of
them are kept.

The id goes to the longest log, because a log that was written too early lacks the end of its call; of equally long
logs, to the one with the lowest SHA-256. Each other log is an item of its own: its key is made of its link, its state is
`invalid` with code `SameId`. The result does not depend on when the logs arrived, or in which order. Logs with the same
bytes are one call.
*/
const compareClaims = (one: ClaimRow, other: ClaimRow): number =>
  other.bytes - one.bytes || (one.sha256 < other.sha256 ? -1 : 1);

const SAME_ID = "SameId";

/** An item whose document carries an id that several documents carry. */
export interface ClaimRow {
  item: number;
  key: string;
  state: string;
  bytes: number;
  sha256: string;
  instance_id: string | null;
  /** The id in its document, as written there, when another item has the id. */
  same_id: string | null;
}

interface Tools {
  statements: Statements;
  now: () => Date;
  current: (item: number) => CurrentRow;
  /** Merges two items with the same bytes: `older` stays. */
  mergeItems: (newer: CurrentRow, older: number) => void;
  changeLog: ChangeLog;
}

export const isSetAside = ({ state, error_code }: CurrentRow): boolean => state === "invalid" && error_code === SAME_ID;

/** Decides which document gets an id that several carry. All of it runs inside a commit's transaction. */
export const sameId = ({ statements, now, current, mergeItems, changeLog }: Tools) => {
  // All ids that several documents carry; loaded once, because only this connection adds to them.
  let contestedIds: Set<string> | undefined;
  const loadContestedIds = (): Set<string> =>
    (contestedIds ??= new Set(losers().map(({ same_id }) => callKey(same_id ?? ""))));
  const losers = (): ClaimRow[] => statements.findLosers.all() as ClaimRow[];
  const claimOf = (item: number): ClaimRow => statements.findClaim.get(item) as ClaimRow;
  const holderOf = (id: string): ClaimRow | undefined => firstRow<ClaimRow>(statements.findByKey.get(id));

  const isDocument = ({ state, document, instanceId }: Outcome): boolean =>
    state === "fetched" && document !== undefined && instanceId !== undefined;

  /**
  The item that an outcome belongs to. A document from the item's own link replaces the stored one. A document from
  another link belongs to the item of that link, and both are kept.
  */
  const itemFor = (known: CurrentRow, outcome: Outcome, link: Buffer | undefined): CurrentRow => {
    if (!isDocument(outcome) || !link || known.link === null) return known;
    if (known.state !== "fetched" && !isSetAside(known)) return known;
    if (claimOf(known.item).sha256 === outcome.document?.sha256) return known;
    const owner = firstRow<{ item: number }>(statements.linkOwner.get([link]))?.item;
    if (owner === known.item) return known;
    const other = current(owner ?? addItemFor(known, outcome, link));
    return other.named === 0 || other.key === callKey(outcome.instanceId ?? "") ? other : known;
  };

  /** Whether a document carries the id of another item and differs from its document. */
  const hasIdConflict = (
    known: CurrentRow,
    outcome: Outcome,
    holder: Pick<ClaimRow, "state" | "sha256"> | undefined,
  ): boolean =>
    isDocument(outcome) &&
    known.state !== "pruned" &&
    holder?.state === "fetched" &&
    holder.sha256 !== outcome.document?.sha256;

  /** Adds an item for the link, beside the requested one, unless there is one. */
  const addItemFor = (known: CurrentRow, { link }: Outcome, digest: Buffer): number => {
    const key = standIn(digest);
    const row = [key, 0, null, link, known.agent, null, known.window_start, known.window_end, now().getTime()];
    if (!holderOf(key)) statements.insert.run(JSON.stringify([row]));
    const { item } = holderOf(key) as ClaimRow;
    statements.addLink.run(digest, item);
    return item;
  };

  /** The key made of its lowest link; or of its document, when it has no link or another item has that key. */
  const keyOf = ({ item, sha256 }: ClaimRow): string => {
    const own = digestOf(sha256);
    const link = firstRow<{ link: ArrayBuffer | null }>(statements.lowestLink.get(item, own))?.link;
    const name = link && standIn(Buffer.from(link as ArrayBuffer));
    const taken = name ? holderOf(name) : undefined;
    if (name && (!taken || taken.item === item)) return name;
    // A stand-in id is found by its link.
    statements.addLink.run(own, item);
    return standIn(own);
  };

  const setAside = (row: ClaimRow, instanceId: string): void => {
    const message = `it carries the same instance id as another call log, ${instanceId}, and differs from it`;
    statements.setAside.run(keyOf(row), instanceId, SAME_ID, message, now().toISOString(), row.item);
    loadContestedIds().add(callKey(instanceId));
  };

  /** Keeps one item for each document that carries the id, and gives the id to one of them. Returns who lost it. */
  const assignId = (id: string, removeDocument: (row: CurrentRow) => void): ClaimRow | undefined => {
    const holder = holderOf(id);
    // A tombstone keeps its id. A call without a document keeps it too, but does not occur here.
    if (holder && holder.state !== "fetched") return undefined;
    const claimants = losers().filter(({ same_id }) => callKey(same_id ?? "") === id);
    const claimBySha = new Map<string, ClaimRow>();
    for (const row of holder ? [holder, ...claimants] : claimants) {
      const firstWithSha = claimBySha.get(row.sha256);
      if (!firstWithSha) claimBySha.set(row.sha256, row);
      else {
        removeDocument(current(row.item));
        mergeItems(current(row.item), firstWithSha.item);
        if (firstWithSha !== holder) setAside(firstWithSha, firstWithSha.same_id ?? id);
      }
    }
    const [winner] = [...claimBySha.values()].toSorted(compareClaims);
    if (!winner || winner === holder) return undefined;
    changeLog.beforeChange(winner.item);
    if (holder) setAside(holder, holder.instance_id ?? holder.key);
    const name = winner.same_id ?? id;
    statements.giveId.run(callKey(name), spellingOf(name), winner.item);
    return holder;
  };

  return {
    itemFor,
    hasIdConflict,
    /** Assigns contested ids again after the commit of an item changed them. */
    review: (changed: Iterable<string | undefined>, removeDocument: (row: CurrentRow) => void): void => {
      if (loadContestedIds().size > 0)
        for (const id of new Set(changed))
          if (id !== undefined && loadContestedIds().has(id)) assignId(id, removeDocument);
    },
    /** Assigns the id after `item` got its document. Returns the item that does not have the id. */
    settle: (item: number, instanceId: string, link: Buffer | undefined, removeDocument: (row: CurrentRow) => void) => {
      if (link) statements.addLink.run(link, item);
      setAside(claimOf(item), instanceId);
      const displaced = assignId(callKey(instanceId), removeDocument);
      const loser = current(displaced?.item ?? item);
      // Both items count as selected, whichever was requested.
      statements.addSelected.run(0, JSON.stringify([current(item).item, loser.item]));
      return { item: loser.item, id: loser.key, instanceId } satisfies SameIdConflict;
    },
  };
};
