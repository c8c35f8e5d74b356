import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lock } from "../../src/archive/lock.ts";
import { openDatabase } from "../../src/archive/open.ts";
import { UsageError } from "../../src/core/errors.ts";

describe("the lock of an archive that another process migrates", () => {
  const owner = { pid: 1, host: "here" };
  let folder = "";
  let other: InstanceType<typeof Database>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lock-"));
  });
  afterEach(() => {
    other.close();
    rmSync(folder, { recursive: true });
  });
  const open = () => {
    const db = openDatabase(join(folder, "a.db"), true);
    db.exec("pragma busy_timeout = 0");
    other = new Database(join(folder, "a.db"));
    return lock(db, () => new Date());
  };

  test("is not taken while it works, although its lock has expired: the holder is named", async () => {
    const { acquire } = open();
    other.exec("insert into lock values (1, 'token', 7, 'there', '2020-01-01', '2020-01-01', null, null)");
    other.exec("begin immediate");
    expect(await acquire(owner, () => false)).toMatchObject({ pid: 7, host: "there" });
    other.exec("rollback");
    expect(await acquire(owner, () => false)).toBe(undefined);
  });

  test("is not taken after it by a program that does not know the new version", async () => {
    const { acquire, holder } = open();
    other.exec("pragma user_version = 99");
    await expect(acquire(owner, () => false)).rejects.toThrow(UsageError);
    expect(await holder()).toBe(undefined);
  });
});
