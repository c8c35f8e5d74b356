import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { afterEach, expect, test } from "vitest";
import { openArchive } from "../../src/archive/index.ts";
import type { StoredFilter } from "../../src/core/records.ts";

const { prepare } = Database.prototype;
const folder = mkdtempSync(join(tmpdir(), "plans-"));
afterEach(() => {
  Database.prototype.prepare = prepare;
  rmSync(folder, { recursive: true });
});

/** Walks that are meant: along an index that covers what is asked, or gives the order that is asked for. */
const MEANT = [
  /^SCAN (i|items) USING (COVERING )?INDEX items_(order|unstarted|agent|unsettled|source)\b/,
  /^SCAN blocks USING COVERING INDEX blocks_sizes$/,
  // Of the selection; of a list that was given; of what is adopted; of the few.
  /^SCAN (selected|adopting|adopting_unknown|p|sqlite_master|cursors|s|n|d|g|a|c|r|json_each|x|lock|runs|destinations|\(subquery.*)\b/,
  /^SCAN (n|json_each) VIRTUAL TABLE/,
  /^SCAN CONSTANT ROW$/,
  // Up to the first one.
  /^SCAN records USING COVERING INDEX records_item$/,
  /^SCAN media( USING COVERING INDEX sqlite_autoindex_media_1)?$/,
  // What status sums up.
  /^SCAN media USING COVERING INDEX media_(unsettled|stored)$/,
];

test("no everyday statement reads all items, links or blocks without an index, or sorts many rows", async () => {
  const statements = new Set<string>();
  let db: InstanceType<typeof Database> | undefined;
  Database.prototype.prepare = function watched(sql: string) {
    db = this;
    if (/^\s*(select|insert|update|delete)\b/i.test(sql)) statements.add(sql);
    return prepare.call(this, sql) as never;
  };
  const archive = await openArchive({ place: join(folder, "a.db"), create: true, now: () => new Date() });
  await archive.acquire({ pid: 1, host: "here" }, () => true);
  const window = { start: new Date(0), end: new Date(1000) };
  const items = await archive.select(
    Array.from({ length: 20_500 }, (_, at) => ({ link: `https://logs.example/${at}`, agentId: "one", window })),
  );
  const bytes = Buffer.from("{}");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await archive.commit(
    items.slice(0, 50).map(({ item }, at) => ({
      item,
      state: "fetched",
      instanceId: `id${at}`,
      startedAt: new Date(at).toISOString(),
      document: { bytes, sha256 },
    })),
  );
  const all = async (batches: AsyncIterable<unknown[]>): Promise<void> => {
    for await (const _ of batches);
  };
  await all(archive.conversations());
  await all(archive.unsettled());
  const since = new Date(10);
  const filters: StoredFilter[] = [
    {},
    { since },
    { agents: ["one"] },
    { agents: ["one", "two"], until: since, limit: 5 },
  ];
  for (const filter of [...filters, { states: ["failed" as const] }, { states: ["pending" as const] }, { id: "ID1" }]) {
    await all(archive.list(filter, { documents: true }));
    await archive.selectStored(filter);
  }
  await archive.look([{ instanceId: "id1" }, { link: "https://logs.example/1" }]);
  await archive.counts();
  await archive.summary();
  await archive.unsettledWindows("one", since);
  await archive.delivering("csv", [1, 2]);
  await archive.prepare("/place", ["csv"], 1, "token");
  await archive.confirm("/place", 1);
  await archive.parts("/place");
  await archive.setTokens("/place", [{ part: 1, token: "other" }]);
  await archive.copyParts((await archive.placeOf(["other"], "/elsewhere")) ?? "", "/elsewhere", ["other"]);
  await archive.adopting(1, ["csv"], ["ID1"]);
  await archive.adopt("/adopted", [{ part: 1, token: "token", formats: ["csv"] }]);
  await archive.delivered("/place", "csv", [1]);
  await archive.holding("id1");
  const [at, data] = [since, { text: "hello" }];
  const note = { source: "chats" as const, conversation: "c1", agentId: "one", record: { id: "n1", at, data } };
  await archive.addRecords([note, { ...note, record: { ...note.record, data: { text: "other" } } }]);
  await archive.conflicts();
  await all(archive.list({ states: ["open"], sources: ["chats"] }, { documents: true }));
  await archive.selectStored({ sources: ["chats"], since });
  await archive.summary();
  await archive.summary(["chats"]);
  await archive.summary(["calls"]);
  await archive.delivered("/place", "csv", [1, 2]);
  await archive.prune({ id: "id1" });
  await archive.prune({ until: since, states: ["fetched", "invalid"] });
  await archive.prune({ until: since, states: ["fetched", "invalid"], sources: ["chats"] });
  await archive.release();
  Database.prototype.prepare = prepare;
  // It lives only as long as a deletion.
  db?.exec("create temp table doomed (item integer primary key)");
  db?.exec("create temp table adopting (format text, item integer, part integer, primary key (format, item))");
  db?.exec(
    "create temp table adopting_again (format text, item integer, part integer, primary key (format, item, part))",
  );
  db?.exec("create temp table adopting_unknown (key text primary key)");
  const plans = [...statements].map((sql) => {
    const steps = db?.prepare(`explain query plan ${sql}`).all() as { detail: string }[];
    return [sql, steps.map(({ detail }) => detail)] as const;
  });
  await archive.close();

  expect(plans.length).toBeGreaterThan(60);
  const scans = plans.flatMap(([sql, details]) =>
    details
      .filter((detail) => detail.startsWith("SCAN") && !MEANT.some((meant) => meant.test(detail)))
      .map((d) => [d, sql]),
  );
  // Said in the statement itself: links of a call that changes its id, which hardly ever happens.
  expect(scans.filter(([, sql]) => !sql?.startsWith("update links set item = ?, more = 1 where item = ?"))).toEqual([]);
  // Agents are few.
  const sorts = plans.filter(
    ([sql, details]) =>
      details.some((d) => d === "USE TEMP B-TREE FOR ORDER BY") &&
      /indexed by items_(order|agent)/.test(sql) &&
      !sql.includes("group by agent"),
  );
  expect(sorts.map(([sql]) => sql)).toEqual([]);
});
