import { chmodSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "libsql";
import { messageOf, NoArchive, UsageError } from "../core/errors.ts";
import { migrations } from "./migrations.ts";
import { explainError } from "./trouble.ts";

/** "CARC": marks a SQLite file as an archive. */
const APPLICATION_ID = 0x43415243;
/** How long to wait for another process's commit, in milliseconds. */
export const BUSY_MS = 30_000;

/** The version of the archives that this program writes. */
export const LATEST = migrations.length;

export type Db = InstanceType<typeof Database>;

/**
Opens an archive's file. One of an older version stays as it is, until `migrate` brings it to this version.

@throws UsageError when it is not an archive, or a newer version wrote it; the file is then not changed
@throws NoArchive when there is none and `create` is false
*/
export const openDatabase = (path: string, create: boolean): Db => {
  const size = statOf(path);
  if (size?.isDirectory()) throw new UsageError(`${path} is a folder; --archive names a file.`);
  if (!size || size.size === 0) {
    if (!create)
      throw new NoArchive(`There is no archive at ${path}. Name another with --archive, or run a pull first.`);
    makeFile(path);
  }
  return openWith(path, (db) => {
    const version = checkVersion(db, path);
    // Only possible in an empty file. It lets the file shrink after compaction.
    if (version === 0) db.exec("pragma auto_vacuum = INCREMENTAL");
    // After busy_timeout, because switching to WAL may have to wait for a lock.
    db.exec("pragma journal_mode = WAL");
    db.exec("pragma synchronous = FULL");
    if (version === 0) createTables(db, path);
  });
};

/** Creates a file that only its owner may read, and the folders above it. */
export const makeFile = (path: string): void => {
  try {
    makeFolder(dirname(path));
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw explainError(error, path);
  }
};

/** Creates folders one by one, because Node's recursive mkdir never returns below `/proc`. */
const makeFolder = (path: string): void => {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another run may have created it.
    if (!existsSync(path)) throw error;
  }
};

/** A private database that ends when it is closed or its process ends: its file is already unlinked. */
export const openTemporary = (): Db => {
  const folder = mkdtempSync(join(tmpdir(), "callarchive-"));
  try {
    return openWith(join(folder, "temporary.db"), (db) => {
      // Nothing has to survive a crash, so there is no WAL and no sync.
      db.exec("pragma locking_mode = EXCLUSIVE");
      db.exec("pragma journal_mode = MEMORY");
      db.exec("pragma synchronous = OFF");
      createTables(db, "");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Opens a file with what every connection needs; `prepare` does what only this kind of file needs. */
export const openWith = (path: string, prepare: (db: Db) => void): Db => {
  let db: Db | undefined;
  try {
    db = new Database(path);
    db.exec(`pragma busy_timeout = ${BUSY_MS}`);
    prepare(db);
    db.exec("pragma foreign_keys = ON");
    // Deleted data is overwritten with zeros.
    db.exec("pragma secure_delete = ON");
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof UsageError) throw error;
    if ((error as { code?: string }).code === "SQLITE_NOTADB")
      throw new UsageError(`${path} is not a callarchive archive.`);
    const explanation = explainError(error, path);
    throw explanation !== error
      ? explanation
      : new Error(`The archive ${path} cannot be opened: ${messageOf(error)}.`, { cause: error });
  }
};

const statOf = (path: string) => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw explainError(error, path);
  }
};

export const pragmaNumber = (db: Db, name: string): number =>
  Object.values(db.prepare(`pragma ${name}`).get() as object)[0] as number;

/** The version of an open archive; it changes when another process migrates it. */
export const versionOf = (db: Db): number => pragmaNumber(db, "user_version");

/** The version of an archive; 0 for an empty file. @throws UsageError */
export const checkVersion = (db: Db, path: string): number => {
  const version = versionOf(db);
  const tables = (db.prepare("select count(*) as n from sqlite_master").get() as { n: number }).n;
  if (pragmaNumber(db, "application_id") !== APPLICATION_ID && tables > 0)
    throw new UsageError(`${path} is a SQLite file, but not a callarchive archive.`);
  if (version > LATEST)
    throw new UsageError(
      `${path} was written by a newer callarchive (archive version ${version}, this one knows ${LATEST}). Update callarchive.`,
    );
  return version;
};

/**
The version of a file that lies beside an archive; 0 for one without tables.

@throws UsageError when it is another kind of file, or a newer version wrote it
*/
export const versionBeside = (
  db: Db,
  path: string,
  { what, applicationId, latest }: { what: string; applicationId: number; latest: number },
): number => {
  const version = versionOf(db);
  const { tables } = db.prepare("select count(*) as tables from sqlite_master").get() as { tables: number };
  if (tables > 0 && pragmaNumber(db, "application_id") !== applicationId)
    throw new UsageError(`${path} is a SQLite file, but not the ${what} of an archive.`);
  if (version > latest) throw new UsageError(`${path} was written by a newer callarchive. Update callarchive.`);
  return version;
};

const createTables = (db: Db, path: string): void =>
  transaction(db, () => {
    // Checked again inside the transaction: another run may have created the tables first.
    if (checkVersion(db, path) === 0) takeSteps(db, 0);
  });

/** Takes the steps from this version to the latest. The caller needs a transaction. */
export const takeSteps = (db: Db, version: number): void => {
  for (const step of migrations.slice(version)) db.exec(step);
  db.exec(`pragma application_id = ${APPLICATION_ID}`);
  db.exec(`pragma user_version = ${LATEST}`);
};

/**
Runs `work` in a transaction that is the only writer from its beginning.

libsql's own `transaction` hides the error of a commit on a full disk behind the error of the rollback.
*/
export const transaction = <T>(db: Db, work: () => T): T => {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      db.exec("ROLLBACK");
    } catch {
      // The database has already rolled back.
    }
    throw error;
  }
};
