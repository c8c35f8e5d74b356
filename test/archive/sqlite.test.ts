import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openArchive } from "../../src/archive/index.ts";
import { archiveContract } from "../contracts/archive/index.ts";
import { sqliteArchive } from "../contracts/archive/sqlite.ts";

const now = (): Date => new Date();

archiveContract("SQLite", sqliteArchive);

describe("an archive in a file", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "archive-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = (name: string, create = true) => openArchive({ place: join(folder, name), create, now });

  test("is readable only by its owner, and so are the database's files beside it", async () => {
    const archive = await open("deep/er/a.db");
    await archive.select([{ instanceId: "a" }]);
    for (const name of ["a.db", "a.db-wal", "a.db-shm"])
      expect(statSync(join(folder, "deep/er", name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "deep")).mode & 0o777).toBe(0o700);
    await archive.close();
  });

  test("is not created by opening it without create", async () => {
    await expect(open("none.db", false)).rejects.toThrow("There is no archive at");
    expect(() => statSync(join(folder, "none.db"))).toThrow();
  });

  test("is refused when a newer version wrote it", async () => {
    await (await open("a.db")).close();
    const db = new Database(join(folder, "a.db"));
    db.exec("pragma user_version = 99");
    db.close();
    await expect(open("a.db")).rejects.toThrow(/newer callarchive.*Update/);
  });

  test.each([
    ["text", "hello, I am a text file, and quite a long one so that it is not empty ".repeat(20)],
    ["a cut database", readFileSync(process.execPath).subarray(0, 5000)],
  ])("is refused when the file is %s", async (_, content) => {
    writeFileSync(join(folder, "a.db"), content);
    await expect(open("a.db")).rejects.toThrow("is not a callarchive archive");
    expect(readFileSync(join(folder, "a.db")).equals(Buffer.from(content))).toBe(true);
  });

  test("is refused when it is somebody else's database, which stays as it is", async () => {
    const db = new Database(join(folder, "other.db"));
    db.exec("create table mine (x)");
    db.close();
    await expect(open("other.db")).rejects.toThrow("not a callarchive archive");
  });

  test("without a place keeps nothing", async () => {
    const archive = await openArchive({ place: undefined, create: true, now });
    const [one] = await archive.select([{ instanceId: "a" }]);
    expect(one?.added).toBe(true);
    await archive.close();
  });
});
