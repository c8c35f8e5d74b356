import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { messageOf, UsageError } from "../core/errors.ts";
import { migrations } from "./migrations.ts";

/** "CARC": tells an archive from any other SQLite file. */
const APPLICATION_ID = 0x43415243;
/** Another process may hold the file for the length of a commit. */
const BUSY_MS = 30_000;

export type Db = InstanceType<typeof Database>;

/**
Opens the file, or a private temporary database for "", and brings it to this version's shape.

@throws UsageError when there is no file, it is not an archive, or a newer version wrote it.
*/
export const openDatabase = (path: string, create: boolean): Db => {
  const db = open(path, create);
  try {
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

const open = (path: string, create: boolean): Db => {
  if (path !== "" && !existsSync(path)) {
    if (!create)
      throw new UsageError(`There is no archive at ${path}. Name another with --archive, or run a pull first.`);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
  }
  if (path !== "" && statSync(path).isDirectory()) throw new UsageError(`${path} is a folder; --archive names a file.`);
  const db = new Database(path);
  try {
    // The order matters: switching to WAL takes a lock that may have to be waited for.
    db.exec(`pragma busy_timeout = ${BUSY_MS}`);
    db.exec("pragma journal_mode = WAL");
    db.exec("pragma synchronous = FULL");
    db.exec("pragma foreign_keys = ON");
    return db;
  } catch (error) {
    db.close();
    const { code } = error as { code?: string };
    if (code === "SQLITE_NOTADB") throw new UsageError(`${path} is not a callarchive archive.`);
    throw new Error(`The archive ${path} cannot be opened: ${messageOf(error)}.`, { cause: error });
  }
};

const migrate = (db: Db, path: string): void => {
  const number = (name: string): number => Object.values(db.prepare(`pragma ${name}`).get() as object)[0] as number;
  const steps = db.transaction(() => {
    const version = number("user_version");
    const application = number("application_id");
    const tables = (db.prepare("select count(*) as n from sqlite_master").get() as { n: number }).n;
    if (application !== APPLICATION_ID && tables > 0)
      throw new UsageError(`${path} is a SQLite file, but not a callarchive archive.`);
    if (version > migrations.length)
      throw new UsageError(
        `${path} was written by a newer callarchive (archive version ${version}, this one knows ${migrations.length}). Update callarchive.`,
      );
    for (const step of migrations.slice(version)) db.exec(step);
    if (version < migrations.length) {
      db.exec(`pragma application_id = ${APPLICATION_ID}`);
      db.exec(`pragma user_version = ${migrations.length}`);
    }
  });
  steps.immediate();
};
