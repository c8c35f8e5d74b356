import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import Database from "libsql";
import { expect, test } from "vitest";
import { summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

/** A connection that reads, and goes on reading what there was when it began. */
const reading = (place: Workplace) => {
  const db = new Database(place.path("callarchive.db"));
  db.exec("BEGIN");
  db.prepare("select count(*) from items").get();
  return { end: () => db.exec("END"), close: () => db.close() };
};

/** Compressed bytes that the archive holds of its calls. */
const stored = (place: Workplace): Buffer[] => {
  const db = new Database(place.path("callarchive.db"));
  const rows = db.prepare("select body from blocks").all() as { body: ArrayBuffer }[];
  db.close();
  return rows.map(({ body }) => Buffer.from(body).subarray(0, 64));
};

const holds = (place: Workplace, bytes: readonly Buffer[]): boolean =>
  ["callarchive.db", "callarchive.db-wal"].some((name) => {
    if (!existsSync(place.path(name))) return false;
    // By another process: closing the file in this one would end the reader's locks.
    const file = execFileSync("cat", [place.path(name)]);
    return bytes.some((part) => file.includes(part));
  });

test("a reader that prevents the deletion of bytes causes an error and exit 1; repeating the command completes it", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 1 });
  const [id = ""] = cloud.ids();
  await place.runHere(["pull", id]);
  const bytes = stored(place);
  const reader = reading(place);
  const ran = await place.run(["forget", id, "--log-format", "json"]);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("another process is reading the archive")]);
  expect(ran.stderr).toContain("their bytes are still in callarchive.db or callarchive.db-wal");
  expect(summaryOf(ran)).toMatchObject({ forgotten: 1, exitCode: 1 });
  expect(holds(place, bytes)).toBe(true);
  const again = await place.run(["forget", id]);
  expect([again.code, holds(place, bytes)]).toEqual([1, true]);
  reader.end();
  const third = await place.run(["forget", id]);
  expect([third.code, third.stderr, holds(place, bytes)]).toEqual([
    0,
    expect.stringContaining("0 conversations"),
    false,
  ]);
  reader.close();
});

test("the next command that writes completes it, too; if it cannot, it still does its own work", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 2 });
  const [old = "", other = ""] = cloud.ids();
  await place.runHere(["pull", old]);
  const bytes = stored(place);
  const reader = reading(place);
  expect((await place.run(["prune", "--older-than", "1d"])).code).toBe(1);
  const pulled = await place.runHere(["pull", other]);
  expect([pulled.code, pulled.stderr]).toEqual([0, expect.stringContaining("their bytes are still in")]);
  expect(holds(place, bytes)).toBe(true);
  reader.end();
  const second = await place.runHere(["pull", other]);
  expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining("their bytes")]);
  expect(holds(place, bytes)).toBe(false);
  expect((await place.runHere(["verify"])).code).toBe(0);
  reader.close();
});
