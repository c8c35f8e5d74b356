import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInbox } from "../../src/archive/inbox.ts";
import { type Inbox, inboxEntry } from "../../src/core/inbox.ts";
import type { Arrival } from "../../src/core/records.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "inbox-"));
  path = join(folder, "archive.db.inbox");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const arrival = (id: string, text: string): Arrival => ({
  source: "chats",
  conversation: "s1",
  record: { id, at: new Date("2025-05-13T03:40:11.244Z"), data: { id, text } },
});

const open = async (): Promise<Inbox> => {
  const inbox = await openInbox(path, true, () => new Date());
  if (!inbox) throw new Error("not opened");
  return inbox;
};

test("an inbox has each record once, gives back what was stored, and never uses a number again", async () => {
  expect(await openInbox(path, false, () => new Date())).toBe(undefined);
  const inbox = await open();
  const [one, other, two] = [arrival("1", "a"), arrival("1", "b \ud800 \u0000"), arrival("2", "c")].map(inboxEntry);
  if (!one || !other || !two) throw new Error("no entries");
  expect(await inbox.store([one, other, one])).toBe(2);
  expect(await inbox.store([one, two])).toBe(1);
  const waiting = await inbox.oldest();
  expect(waiting.map((each) => inboxEntry(each.arrival).sha256)).toEqual([one, other, two].map(({ sha256 }) => sha256));
  expect(waiting[0]?.arrival).toEqual(one.arrival);
  expect(await inbox.standing()).toMatchObject({ records: 3, oldest: expect.any(Date) });

  // Whoever read before a crash and deletes after it must not delete what came in between.
  const numbers = waiting.map(({ number }) => number);
  await inbox.remove(numbers);
  expect(await inbox.scrub()).toBe(true);
  await inbox.store([two]);
  await inbox.remove(numbers);
  expect((await inbox.standing()).records).toBe(1);

  expect(await inbox.integrity()).toEqual([]);
  const db = new Database(path);
  db.exec("update waiting set arrival = replace(arrival, '\"c\"', '\"d\"')");
  db.close();
  expect(await inbox.integrity()).toEqual([expect.stringContaining("has changed since it was stored")]);
  await inbox.close();
});

test("a batch is bounded, and never empty while a record waits", async () => {
  const inbox = await open();
  const big = "x".repeat(5 * 1024 * 1024);
  await inbox.store(["1", "2", "3"].map((id) => inboxEntry(arrival(id, big))));
  await inbox.store(Array.from({ length: 600 }, (_, at) => inboxEntry(arrival(`n${at}`, "y"))));
  const sizes: number[] = [];
  for (let batch = await inbox.oldest(); batch.length > 0; batch = await inbox.oldest()) {
    sizes.push(batch.length);
    await inbox.remove(batch.map(({ number }) => number));
  }
  expect(sizes).toEqual([1, 1, 500, 101]);
  await inbox.close();
});
