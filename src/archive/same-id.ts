import type { Outcome, SameIdConflict } from "../core/records.ts";
import { digestOf, standIn } from "../core/stand-in.ts";
import type { CurrentRow, Statements } from "./ledger-sql.ts";
import { firstRow, spellingOf } from "./rows.ts";

/**
Call logs that carry one instance id and differ are different conversations, and all of them are kept.

The rule: the id belongs to the log whose call started first; of those that started at the same time, or name no start,
to the one with the lower SHA-256. Every other one is an item of its own, known by its link, `invalid` with code `SameId`.
Nothing depends on when or in which order they were met. Logs with the same bytes are one call.
*/
const compareClaims = (one: ClaimRow, other: ClaimRow): number =>
  startOf(one) - startOf(other) || (one.sha256 < other.sha256 ? -1 : 1);

const startOf = ({ started_at }: ClaimRow): number => started_at ?? Number.MAX_SAFE_INTEGER;

const SAME_ID = "SameId";

/** An item with a document that carries, or holds, a contested id. */
export interface ClaimRow {
  item: number;
  key: string;
  state: string;
  started_at: number | null;
  sha256: string;
  instance_id: string | null;
  /** The id that its document carries, as written there, where another document has it. */
  same_id: string | null;
}

interface Tools {
  statements: Statements;
  now: () => Date;
  current: (item: number) => CurrentRow;
  /** Makes one item of two with the same bytes; `known` stands for both. */
  mergeItems: (late: CurrentRow, known: number) => void;
}

export const isSameId = ({ state, error_code }: CurrentRow): boolean => state === "invalid" && error_code === SAME_ID;

/** Which document has an id that several carry. Everything here happens inside of a commit's transaction. */
export const sameId = ({ statements, now, current, mergeItems }: Tools) => {
  // Ids that were ever contested; loaded once, because only this connection adds to them.
  let contestedIds: Set<string> | undefined;
  const loadContestedIds = (): Set<string> =>
    (contestedIds ??= new Set(losers().map(({ same_id }) => same_id?.toLowerCase() ?? "")));
  const losers = (): ClaimRow[] => statements.findLosers.all() as ClaimRow[];
  const claimOf = (item: number): ClaimRow => statements.findClaim.get(item) as ClaimRow;
  const holderOf = (id: string): ClaimRow | undefined => firstRow<ClaimRow>(statements.findByKey.get(id));

  const isDocument = ({ state, document, instanceId }: Outcome): boolean =>
    state === "fetched" && document !== undefined && instanceId !== undefined;

  /**
  The item that an outcome is of. A document at an item's own link replaces the one that it has; one at another link is
  the document of that link's item, and both are kept.
  */
  const itemFor = (known: CurrentRow, outcome: Outcome, link: Buffer | undefined): CurrentRow => {
    if (!isDocument(outcome) || !link || known.link === null) return known;
    if (known.state !== "fetched" && !isSameId(known)) return known;
    if (claimOf(known.item).sha256 === outcome.document?.sha256) return known;
    const owner = firstRow<{ item: number }>(statements.linkOwner.get([link]))?.item;
    if (owner === known.item) return known;
    const other = current(owner ?? addItemFor(known, outcome, link));
    return other.named === 0 || other.key === outcome.instanceId?.toLowerCase() ? other : known;
  };

  /** Whether a document carries the id of another item, and differs from that one's document. */
  const hasIdConflict = (
    known: CurrentRow,
    outcome: Outcome,
    holder: Pick<ClaimRow, "state" | "sha256"> | undefined,
  ): boolean =>
    isDocument(outcome) &&
    known.state !== "pruned" &&
    holder?.state === "fetched" &&
    holder.sha256 !== outcome.document?.sha256;

  /** A new item for the link, beside the one that was asked for. */
  const addItemFor = (known: CurrentRow, { link }: Outcome, digest: Buffer): number => {
    const key = standIn(digest);
    const row = [key, 0, null, link, known.agent, null, known.window_start, known.window_end, now().getTime()];
    if (!holderOf(key)) statements.insert.run(JSON.stringify([row]));
    const { item } = holderOf(key) as ClaimRow;
    statements.addLink.run(digest, item);
    return item;
  };

  /** The lowest of its links, whichever came first; or made of its document, where it has none or somebody took that name. */
  const keyOf = ({ item, sha256 }: ClaimRow): string => {
    const link = firstRow<{ link: ArrayBuffer | null }>(statements.lowestLink.get(item))?.link;
    const name = link && standIn(Buffer.from(link as ArrayBuffer));
    const taken = name ? holderOf(name) : undefined;
    return name && (!taken || taken.item === item) ? name : standIn(digestOf(sha256));
  };

  const setAside = (row: ClaimRow, instanceId: string): void => {
    const message = `it carries the same instance id as another call log, ${instanceId}, and differs from it`;
    statements.setAside.run(keyOf(row), instanceId, SAME_ID, message, now().toISOString(), row.item);
    loadContestedIds().add(instanceId.toLowerCase());
  };

  /** One item for each document that carries the id, and the id for one of them. */
  const assignId = (id: string, removeDocument: (row: CurrentRow) => void): ClaimRow | undefined => {
    const holder = holderOf(id);
    // A tombstone keeps its id; so does a call without a document, which cannot be while others carry its id.
    if (holder && holder.state !== "fetched") return undefined;
    const claimants = losers().filter(({ same_id }) => same_id?.toLowerCase() === id);
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
    if (holder) setAside(holder, holder.instance_id ?? holder.key);
    const name = winner.same_id ?? id;
    statements.giveId.run(name.toLowerCase(), spellingOf(name), winner.item);
    return holder;
  };

  return {
    itemFor,
    hasIdConflict,
    /** Looks again at ids that the commit of an item may have changed. */
    review: (changed: Iterable<string | undefined>, removeDocument: (row: CurrentRow) => void): void => {
      if (loadContestedIds().size > 0)
        for (const id of new Set(changed))
          if (id !== undefined && loadContestedIds().has(id)) assignId(id, removeDocument);
    },
    /** Settles whose the id is, now that `item` has its document; tells of the one that does not have it. */
    settle: (item: number, instanceId: string, link: Buffer | undefined, removeDocument: (row: CurrentRow) => void) => {
      if (link) statements.addLink.run(link, item);
      setAside(claimOf(item), instanceId);
      const displaced = assignId(instanceId.toLowerCase(), removeDocument);
      const loser = current(displaced?.item ?? item);
      // Both count, whichever of them was asked for.
      statements.addSelected.run(0, JSON.stringify([current(item).item, loser.item]));
      return { item: loser.item, id: loser.key, instanceId } satisfies SameIdConflict;
    },
  };
};
