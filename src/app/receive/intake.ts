import type { Inbox, InboxEntry } from "../../core/inbox.ts";

/** How long a record waits for others, in milliseconds: all that arrive meanwhile share one sync of the disk. */
const GROUP_MS = 4;
/** Records that may wait for their commit. */
const MOST_WAITING = 2_000;

/** Stores the records of many deliveries in common commits. */
export interface Intake {
  /** Records that were new in the inbox, and records that it had. */
  readonly counts: { stored: number; repeated: number };
  /** How many records wait for their commit. */
  readonly waiting: number;
  /** Whether a commit would succeed now. */
  canStore(): Promise<boolean>;
  /** False when too many records wait already. */
  hasRoomFor(records: number): boolean;
  /** When this resolves, the records are on disk. @throws what the inbox throws */
  add(entries: readonly InboxEntry[]): Promise<void>;
}

export const createIntake = (inbox: Pick<Inbox, "store" | "renew">): Intake => {
  const counts = { stored: 0, repeated: 0 };
  let group: { entries: InboxEntry[]; committed: Promise<void> } | undefined;
  let waiting = 0;
  let healthy = true;

  // One delivery alone always fits, because its body is limited.
  const hasRoomFor = (records: number): boolean => waiting === 0 || waiting + records <= MOST_WAITING;

  const commitLater = async (entries: readonly InboxEntry[]): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, GROUP_MS));
    group = undefined;
    try {
      const stored = await inbox.store(entries);
      healthy = true;
      counts.stored += stored;
      counts.repeated += entries.length - stored;
    } catch (error) {
      healthy = false;
      throw error;
    } finally {
      waiting -= entries.length;
    }
  };
  return {
    counts,
    get waiting() {
      return waiting;
    },
    canStore: async () => {
      // After an error nobody may deliver until this is true again, so it has to be tried.
      if (!healthy)
        await inbox.renew().then(
          () => {
            healthy = true;
          },
          () => undefined,
        );
      return healthy && hasRoomFor(1);
    },
    hasRoomFor,
    add: (entries) => {
      if (!group) {
        const first: InboxEntry[] = [];
        group = { entries: first, committed: commitLater(first) };
      }
      group.entries.push(...entries);
      waiting += entries.length;
      return group.committed;
    },
  };
};
