import type { JsonObject } from "../core/transcript.ts";
import type { Member } from "./block.ts";
import type { PreparedBlock, Store } from "./store.ts";

/** An item and the block of its document, if it has one. */
interface ItemBlock {
  item: number;
  block: number | null;
}

/** Collects the documents that one commit adds and removes. All of it runs inside the commit's transaction. */
export const changes = (store: Store) => {
  const added = new Map<number, Member>();
  const removed = new Map<number, Set<number>>();
  const membersByBlock = new Map<number, ReadonlyMap<number, Member>>();

  const remove = ({ item, block }: ItemBlock): void => {
    added.delete(item);
    if (block !== null) removed.set(block, (removed.get(block) ?? new Set()).add(item));
  };
  return {
    remove,
    /** The member of an item as this commit will leave it; undefined when it has none. */
    currentMember: ({ item, block }: ItemBlock): Member | undefined => {
      const pending = added.get(item);
      if (pending || block === null) return pending;
      const members = membersByBlock.get(block) ?? store.membersOf(block);
      membersByBlock.set(block, members);
      return members.get(item);
    },
    put: (target: ItemBlock, member: Member): void => {
      remove(target);
      added.set(target.item, member);
    },
    /** Writes the changes. `prepared` was compressed ahead of time; it is reused if the final members match. */
    write: (prepared: readonly PreparedBlock[]): void => {
      const members = [...added.values()];
      const expected = prepared.flatMap((block) => block.members);
      const matchesPrepared =
        members.length === expected.length && members.every((member, at) => member === expected[at]);
      for (const [block, items] of removed) store.drop(block, items);
      store.add(matchesPrepared ? prepared : store.prepareSync(members));
    },
  };
};

export const bytesOf = (meta: JsonObject): Uint8Array => Buffer.from(JSON.stringify(meta));
