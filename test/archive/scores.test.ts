import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInbox } from "../../src/archive/inbox.ts";
import { openScores } from "../../src/archive/scores.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scores-"));
  path = join(folder, "archive.db.scores");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const digest = (number: number): string => number.toString(16).padStart(64, "0");

test("scores survive, are found by their digest alone, and a newer one replaces an older one", async () => {
  const first = await openScores(path);
  expect(await first.get([digest(1)])).toEqual(new Map());
  await first.put(
    new Map([
      [digest(1), 0.25],
      [digest(10), -3],
      [digest(255), 1e300],
    ]),
  );
  await first.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const second = await openScores(path);
  const other = await openScores(path);
  await other.put(new Map([[digest(1), 7]]));
  const all = [1, 2, 10, 255].map(digest);
  expect(await second.get(all)).toEqual(
    new Map([
      [digest(1), 7],
      [digest(10), -3],
      [digest(255), 1e300],
    ]),
  );
  expect(await second.get([])).toEqual(new Map());
  await second.close();
  await other.close();
});

test("either all scores of a call are kept or none", async () => {
  const scores = await openScores(path);
  const wrong = new Map([
    [digest(1), 1],
    [digest(2), "x" as never],
  ]);
  await expect(scores.put(wrong)).rejects.toThrow();
  expect(await scores.get([digest(1), digest(2)])).toEqual(new Map());
  await scores.close();
});

test("another file is refused and stays as it is", async () => {
  writeFileSync(path, "not a database, but a text that is long enough to be one ".repeat(20));
  const before = readFileSync(path);
  await expect(openScores(path)).rejects.toThrow();
  expect(readFileSync(path)).toEqual(before);
  const inbox = join(folder, "archive.db.inbox");
  await (await openInbox(inbox, true, () => new Date()))?.close();
  await expect(openScores(inbox)).rejects.toThrow("not the scores of an archive");
});
