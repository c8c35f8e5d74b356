import type { StoredConversation } from "../core/records.ts";
import { deliveredIn } from "./delivered-in.ts";
import type { Db } from "./open.ts";
import { firstRow } from "./rows.ts";

/** Notes how a conversation was before it changes, so that a destination that has it can receive it again. */
export interface ChangeLog {
  /** Call it inside the transaction that changes an item, before anything of the item is changed. */
  beforeChange(item: number): void;
}

export interface ChangeLogOptions {
  /** The conversation as it is now; undefined when its document cannot be read. */
  conversation: (item: number) => StoredConversation | undefined;
  /** The hex digest of its transcript. @throws Error when it cannot be read as one */
  digestOf: (conversation: StoredConversation) => string;
}

/**
The log of changes.

Only conversations that a destination has received are noted: a first delivery stays as cheap as a span of numbers, and
an archive without `--new` has no log.
*/
export const changeLog = (db: Db, { conversation, digestOf }: ChangeLogOptions): ChangeLog => {
  const state = db.prepare("select state from items where item = ?");
  const destinations = db.prepare("select destination from destinations");
  const firstPart = deliveredIn(db);
  const insert = db.prepare("insert into changes (item, before) values (?, unhex(?))");

  const isDelivered = (item: number): boolean =>
    (destinations.all() as { destination: number }[]).some(
      ({ destination }) => firstPart(destination, item) !== undefined,
    );

  const digest = (item: number): string => {
    const found = conversation(item);
    try {
      return found ? digestOf(found) : "";
    } catch {
      // It was no transcript before: whatever it becomes is a change.
      return "";
    }
  };

  return {
    beforeChange: (item) => {
      if (firstRow<{ state: string }>(state.get(item))?.state === "pruned" || !isDelivered(item)) return;
      insert.run(item, digest(item));
    },
  };
};
