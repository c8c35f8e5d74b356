import type { Outcome, SameIdConflict } from "../core/records.ts";
import { digestOf, standIn } from "../core/stand-in.ts";
import type { CurrentRow, Statements } from "./ledger-sql.ts";
import { one, spelling } from "./rows.ts";

/**
Call logs that carry one instance id and differ are different conversations, and all of them are kept.

The rule: the id belongs to the log whose call started first; of those that started at the same time, or name no start,
to the one with the lower SHA-256. Every other one is an item of its own, known by its link, `invalid` with code `SameId`.
Nothing depends on when or in which order they were met. Logs with the same bytes are one call.
*/
const before = (one: Contender, other: Contender): number =>
  startOf(one) - startOf(other) || (one.sha256 < other.sha256 ? -1 : 1);

const startOf = ({ started_at }: Contender): number => started_at ?? Number.MAX_SAFE_INTEGER;

const SAME_ID = "SameId";

/** An item with a document that carries, or holds, a contested id. */
export interface Contender {
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
  unite: (late: CurrentRow, known: number) => void;
}

export const isSameId = ({ state, error_code }: CurrentRow): boolean => state === "invalid" && error_code === SAME_ID;

/** Which document has an id that several carry. Everything here happens inside of a commit's transaction. */
export const sameId = ({ statements, now, current, unite }: Tools) => {
  // Ids that were ever contested; loaded once, because only this connection adds to them.
  let contested: Set<string> | undefined;
  const ids = (): Set<string> => (contested ??= new Set(losers().map(({ same_id }) => same_id?.toLowerCase() ?? "")));
  const losers = (): Contender[] => statements.losers.all() as Contender[];
  const contender = (item: number): Contender => statements.contender.get(item) as Contender;
  const holderOf = (id: string): Contender | undefined => one<Contender>(statements.holder.get(id));

  const isDocument = ({ state, document, instanceId }: Outcome): boolean =>
    state === "fetched" && document !== undefined && instanceId !== undefined;

  /**
  The item that an outcome is of. A document at an item's own link replaces the one that it has; one at another link is
  the document of that link's item, and both are kept.
  */
  const belongsTo = (known: CurrentRow, outcome: Outcome, link: Buffer | undefined): CurrentRow => {
    if (!isDocument(outcome) || !link || known.link === null) return known;
    if (known.state !== "fetched" && !isSameId(known)) return known;
    if (contender(known.item).sha256 === outcome.document?.sha256) return known;
    const owner = one<{ item: number }>(statements.linkOwner.get([link]))?.item;
    if (owner === known.item) return known;
    const other = current(owner ?? added(known, outcome, link));
    return other.named === 0 || other.key === outcome.instanceId?.toLowerCase() ? other : known;
  };

  /** Whether a document carries the id of another item, and differs from that one's document. */
  const isApart = (
    known: CurrentRow,
    outcome: Outcome,
    holder: Pick<Contender, "state" | "sha256"> | undefined,
  ): boolean =>
    isDocument(outcome) &&
    known.state !== "pruned" &&
    holder?.state === "fetched" &&
    holder.sha256 !== outcome.document?.sha256;

  /** A new item for the link, beside the one that was asked for. */
  const added = (known: CurrentRow, { link }: Outcome, digest: Buffer): number => {
    const key = standIn(digest);
    const row = [key, 0, null, link, known.agent, null, known.window_start, known.window_end, now().getTime()];
    if (!holderOf(key)) statements.insert.run(JSON.stringify([row]));
    const { item } = holderOf(key) as Contender;
    statements.addLink.run(digest, item);
    return item;
  };

  /** The lowest of its links, whichever came first; or made of its document, where it has none or somebody took that name. */
  const nameOf = ({ item, sha256 }: Contender): string => {
    const link = one<{ link: ArrayBuffer | null }>(statements.lowestLink.get(item))?.link;
    const name = link && standIn(Buffer.from(link as ArrayBuffer));
    const taken = name ? holderOf(name) : undefined;
    return name && (!taken || taken.item === item) ? name : standIn(digestOf(sha256));
  };

  const setAside = (row: Contender, instanceId: string): void => {
    const message = `it carries the same instance id as another call log, ${instanceId}, and differs from it`;
    statements.setAside.run(nameOf(row), instanceId, SAME_ID, message, now().toISOString(), row.item);
    ids().add(instanceId.toLowerCase());
  };

  /** One item for each document that carries the id, and the id for one of them. */
  const decide = (id: string, leave: (row: CurrentRow) => void): Contender | undefined => {
    const holder = holderOf(id);
    // A tombstone keeps its id; so does a call without a document, which cannot be while others carry its id.
    if (holder && holder.state !== "fetched") return undefined;
    const claiming = losers().filter(({ same_id }) => same_id?.toLowerCase() === id);
    const bySha = new Map<string, Contender>();
    for (const row of holder ? [holder, ...claiming] : claiming) {
      const same = bySha.get(row.sha256);
      if (!same) bySha.set(row.sha256, row);
      else {
        leave(current(row.item));
        unite(current(row.item), same.item);
        if (same !== holder) setAside(same, same.same_id ?? id);
      }
    }
    const [winner] = [...bySha.values()].toSorted(before);
    if (!winner || winner === holder) return undefined;
    if (holder) setAside(holder, holder.instance_id ?? holder.key);
    const name = winner.same_id ?? id;
    statements.giveId.run(name.toLowerCase(), spelling(name), winner.item);
    return holder;
  };

  return {
    belongsTo,
    isApart,
    /** Looks again at ids that the commit of an item may have changed. */
    review: (changed: Iterable<string | undefined>, leave: (row: CurrentRow) => void): void => {
      if (ids().size > 0) for (const id of new Set(changed)) if (id !== undefined && ids().has(id)) decide(id, leave);
    },
    /** Settles whose the id is, now that `item` has its document; tells of the one that does not have it. */
    settle: (item: number, instanceId: string, link: Buffer | undefined, leave: (row: CurrentRow) => void) => {
      if (link) statements.addLink.run(link, item);
      setAside(contender(item), instanceId);
      const displaced = decide(instanceId.toLowerCase(), leave);
      const loser = current(displaced?.item ?? item);
      // Both count, whichever of them was asked for.
      statements.addSelected.run(0, JSON.stringify([current(item).item, loser.item]));
      return { item: loser.item, id: loser.key, instanceId } satisfies SameIdConflict;
    },
  };
};
