import { hash } from "node:crypto";
import { canonicalJson } from "./canonical.ts";
import type { Lockable } from "./lock.ts";
import type { Arrival } from "./records.ts";

/** A record that arrived while another run may hold the archive. */
export interface InboxEntry {
  arrival: Arrival;
  /** Of the canonical JSON of its data, hex. Together with source and id it identifies the entry. */
  sha256: string;
}

/** @throws RangeError when the data is nested too deep */
export const inboxEntry = (arrival: Arrival): InboxEntry => ({
  arrival,
  sha256: hash("sha256", canonicalJson(arrival.record.data)),
});

/** A stored entry with its number, which is never used again. */
export interface WaitingRecord extends InboxEntry {
  number: number;
}

/**
Records that wait for the archive, in a file of their own, so that they are stored while a run holds the archive.

One receiver fills it, under the inbox's own lock. Whoever holds the archive's lock empties it.
*/
export interface Inbox extends Pick<Lockable, "acquire" | "renew" | "release"> {
  /**
  Stores records, all or none. When this resolves, they are on disk. Resolves to how many were not in the inbox yet.

  @throws LockLost
  */
  store(entries: readonly InboxEntry[]): Promise<number>;
  /** Those that have waited longest, at most 500 of about 8 MB; none when the inbox is empty. */
  oldest(): Promise<WaitingRecord[]>;
  /** Deletes records by their numbers, once the archive has them. */
  remove(numbers: readonly number[]): Promise<void>;
  /** Removes the bytes of deleted records from the files. False while another process uses them. */
  scrub(): Promise<boolean>;
  /** How many records wait, since when the oldest does, and the size of the file. */
  standing(): Promise<InboxStanding>;
  /** Checks file and records. Resolves to the problems found. */
  integrity(): Promise<string[]>;
  close(): Promise<void>;
}

export interface InboxStanding {
  records: number;
  oldest?: Date;
  /** Without the write-ahead log. */
  bytes: number;
}
