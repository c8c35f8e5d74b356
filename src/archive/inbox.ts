import { statSync } from "node:fs";
import { type Inbox, inboxEntry, type WaitingRecord } from "../core/inbox.ts";
import type { Arrival } from "../core/records.ts";
import { lock } from "./lock.ts";
import { type Db, makeFile, openWith, pragmaNumber, transaction, versionBeside } from "./open.ts";
import { explainErrors } from "./trouble.ts";

/** "CARI": marks a SQLite file as an inbox. */
const APPLICATION_ID = 0x43415249;
const VERSION = 1;

/** How long to wait for another process's commit, in milliseconds: commits to an inbox are short. */
const BUSY_MS = 2_000;

const OLDEST = { records: 500, bytes: 8 * 1024 * 1024 };

// Numbers are never used again: whoever deletes what he has read cannot delete what came later.
const TABLES = `
  create table waiting (
    number integer primary key autoincrement,
    source text not null,
    id text not null,
    sha256 blob not null,
    arrived integer not null,
    arrival text not null,
    unique (source, id, sha256)
  ) strict;
  create table lock (
    one integer primary key check (one = 1),
    token text not null,
    pid integer not null,
    host text not null,
    started_at text not null,
    expires_at text not null,
    process_space text,
    process_started text
  ) strict;
  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${VERSION}`;

interface Row {
  number: number;
  sha256: string;
  arrival: string;
}

/**
Opens an inbox; undefined when there is none and `create` is false.

@throws UsageError when the file is something else, or a newer version wrote it
*/
export const openInbox = async (path: string, create: boolean, now: () => Date): Promise<Inbox | undefined> => {
  if (!create && !statSync(path, { throwIfNoEntry: false })?.size) return undefined;
  if (create) makeFile(path);
  let isEmpty = false;
  const db = openWith(path, (db) => {
    db.exec(`pragma busy_timeout = ${BUSY_MS}`);
    isEmpty = checkVersion(db, path) === 0;
    if (isEmpty && create) db.exec("pragma auto_vacuum = INCREMENTAL");
    db.exec("pragma journal_mode = WAL");
    db.exec("pragma synchronous = FULL");
    if (isEmpty && create)
      transaction(db, () => {
        // Checked again inside the transaction: another receiver may have created the tables first.
        if (checkVersion(db, path) === 0) db.exec(TABLES);
      });
  });
  if (!isEmpty || create) return explainErrors(assemble(db, now), path);
  db.close();
  return undefined;
};

/** 0 for a file without tables. @throws UsageError */
const checkVersion = (db: Db, path: string): number =>
  versionBeside(db, path, { what: "inbox", applicationId: APPLICATION_ID, latest: VERSION });

const assemble = (db: Db, now: () => Date): Inbox => {
  const { assertLocked, acquire, renew, release } = lock(db, now, { version: VERSION });
  const insert = db.prepare(
    `insert into waiting (source, id, sha256, arrived, arrival) values (?, ?, unhex(?), ?, ?) on conflict do nothing`,
  );
  const sizes = db.prepare("select number, length(arrival) as size from waiting order by number limit ?");
  const rows = db.prepare(
    "select number, lower(hex(sha256)) as sha256, arrival from waiting where number <= ? order by number",
  );
  const count = db.prepare("select count(*) as records, min(arrived) as oldest from waiting");
  const remove = db.prepare("delete from waiting where number in (select value from json_each(?))");
  return {
    acquire,
    renew,
    release,
    store: async (entries) =>
      transaction(db, () => {
        assertLocked();
        const at = now().getTime();
        let stored = 0;
        for (const { arrival, sha256 } of entries) {
          const { source, record } = arrival;
          stored += insert.run(record.source ?? source, record.id, sha256, at, JSON.stringify(arrival)).changes;
        }
        return stored;
      }),
    oldest: async () => {
      let bytes = 0;
      let last = 0;
      for (const { number, size } of sizes.all(OLDEST.records) as { number: number; size: number }[]) {
        bytes += size;
        if (last > 0 && bytes > OLDEST.bytes) break;
        last = number;
      }
      return (rows.all(last) as Row[]).map(waitingRecord);
    },
    remove: async (numbers) => transaction(db, () => void remove.run(JSON.stringify(numbers))),
    scrub: async () => {
      db.exec("pragma incremental_vacuum");
      return (db.prepare("pragma wal_checkpoint(TRUNCATE)").get() as { busy: number }).busy === 0;
    },
    standing: async () => {
      const { records, oldest } = count.get() as {
        records: number;
        oldest: number | null;
      };
      const bytes = pragmaNumber(db, "page_count") * pragmaNumber(db, "page_size");
      return { records, bytes, ...(oldest !== null && { oldest: new Date(oldest) }) };
    },
    integrity: async () => {
      const found = (db.prepare("pragma integrity_check").all() as { integrity_check: string }[])
        .map(({ integrity_check: what }) => what)
        .filter((what) => what !== "ok");
      const all = db.prepare("select number, lower(hex(sha256)) as sha256, arrival from waiting order by number");
      for (const row of all.iterate() as IterableIterator<Row>) if (!isIntact(row)) found.push(problemOf(row));
      return found;
    },
    close: async () => void db.close(),
  };
};

const waitingRecord = ({ number, sha256, arrival: text }: Row): WaitingRecord => {
  const arrival = JSON.parse(text) as Arrival;
  const { at } = arrival.record;
  if (at !== undefined) arrival.record.at = new Date(at);
  return { number, sha256, arrival };
};

const isIntact = (row: Row): boolean => {
  try {
    return inboxEntry(waitingRecord(row).arrival).sha256 === row.sha256;
  } catch {
    return false;
  }
};

const problemOf = ({ number }: Row): string => `the record ${number} has changed since it was stored (SHA-256)`;
