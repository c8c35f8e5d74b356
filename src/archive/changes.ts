import type { JsonObject } from "../core/transcript.ts";
import type { Member } from "./block.ts";
import type { PreparedBlock, Store } from "./store.ts";

/** An item, and the block that holds its document if it has one. */
interface ItemBlock {
  item: number;
  block: number | null;
}

/** Which documents come and go in one commit. Everything here happens inside of its transaction. */
export const changes = (store: Store) => {
  const coming = new Map<number, Member>();
  const leaving = new Map<number, Set<number>>();
  const opened = new Map<number, ReadonlyMap<number, Member>>();

  const leave = ({ item, block }: ItemBlock): void => {
    coming.delete(item);
    if (block !== null) leaving.set(block, (leaving.get(block) ?? new Set()).add(item));
  };
  return {
    leave,
    /** What is stored of an item, or about to be. */
    before: ({ item, block }: ItemBlock): Member | undefined => {
      const pending = coming.get(item);
      if (pending || block === null) return pending;
      const members = opened.get(block) ?? store.membersOf(block);
      opened.set(block, members);
      return members.get(item);
    },
    put: (held: ItemBlock, member: Member): void => {
      leave(held);
      coming.set(held.item, member);
    },
    /** `prepared` was compressed beforehand, on other threads, of what was thought to come; mostly it is that. */
    finish: (prepared: readonly PreparedBlock[]): void => {
      const members = [...coming.values()];
      const thought = prepared.flatMap((block) => block.members);
      const isAsThought = members.length === thought.length && members.every((member, at) => member === thought[at]);
      for (const [block, items] of leaving) store.drop(block, items);
      store.add(isAsThought ? prepared : store.preparedNow(members));
    },
  };
};

export const bytesOf = (meta: JsonObject): Uint8Array => Buffer.from(JSON.stringify(meta));
