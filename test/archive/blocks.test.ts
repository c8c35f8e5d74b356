import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import Database from "libsql";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openArchive } from "../../src/archive/index.ts";
import type { Archive } from "../../src/core/archive.ts";
import type { Outcome } from "../../src/core/records.ts";

const HERE = { pid: 1, host: "here" };
const START = Date.parse("2025-07-14T00:00:00Z");

let folder = "";
let archive: Archive;
const open = async (): Promise<Archive> => {
  archive = await openArchive({ place: join(folder, "a.db"), create: true, now: () => new Date() });
  return archive;
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blocks-"));
  await open();
  await archive.acquire(HERE, () => true);
});
afterEach(async () => {
  await archive.close();
  rmSync(folder, { recursive: true });
});

const outcome = (item: number, at: number, words: string): Outcome => {
  const bytes = Buffer.from(JSON.stringify({ at, words }));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const startedAt = new Date(START + at * 1000).toISOString();
  return { item, state: "fetched", document: { bytes, sha256 }, meta: { said: `of ${at}` }, startedAt };
};

/** Commits calls in an order that has nothing to do with their start, some at a time. */
const fill = async (count: number, length: number): Promise<void> => {
  const order = Array.from({ length: count }, (_, at) => (at * 7919) % count);
  for (let from = 0; from < count; from += 16) {
    const part = order.slice(from, from + 16);
    const items = await archive.select(part.map((at) => ({ instanceId: `call${at}`, agentId: `agent${at % 3}` })));
    await archive.commit(
      items.map(({ item }, index) => outcome(item, part[index] ?? 0, wordsOf(part[index] ?? 0, length))),
    );
  }
};
const wordsOf = (at: number, length: number): string => `word${at} `.repeat(length / 8);

const look = <T>(sql: string): T[] => {
  const db = new Database(join(folder, "a.db"));
  const rows = db.prepare(sql).all() as T[];
  db.close();
  return rows;
};
const texts = (): string[] =>
  look<{ body: ArrayBuffer }>("select body from blocks").map(({ body }) =>
    brotliDecompressSync(new Uint8Array(body)).toString(),
  );

const everything = async (): Promise<string[]> => {
  const seen: string[] = [];
  for await (const batch of archive.conversations())
    for (const { id, document, meta } of batch) {
      expect(
        createHash("sha256")
          .update(document?.bytes ?? "")
          .digest("hex"),
      ).toBe(document?.sha256);
      expect(meta).toEqual({ said: `of ${id.slice(4)}` });
      seen.push(id);
    }
  return seen;
};

describe("documents in blocks", () => {
  test("the end of a run sorts them by start, keeps them all, and frees space", async () => {
    await fill(600, 4000);
    expect(look<{ n: number }>("select count(*) as n from blocks where loose = 1")[0]?.n).toBeGreaterThan(10);
    const inOrder = Array.from({ length: 600 }, (_, at) => `call${at}`);
    expect(await everything()).toEqual(inOrder);
    await archive.release();
    const [blocks] = look<{ n: number; loose: number }>("select count(*) as n, sum(loose) as loose from blocks");
    expect(blocks).toEqual({ n: Math.ceil((600 * 4000) / 384 / 1024), loose: 0 });
    expect(look<{ free: number }>("select freelist_count as free from pragma_freelist_count")[0]?.free).toBeLessThan(
      65,
    );
    expect(await everything()).toEqual(inOrder);
    // One block after another holds what comes next.
    const rows = look<{ block: number }>("select block from items order by started_at").map(({ block }) => block);
    expect(rows).toEqual(rows.toSorted((one, other) => one - other));
    expect(await archive.integrity()).toEqual([]);
  });

  test("refreshed, merged or pruned calls leave no old bytes in any block", async () => {
    await fill(40, 400);
    const [known] = await archive.select([{ instanceId: "call7" }]);
    await archive.commit([outcome(known?.item ?? 0, 7, "other things")]);
    expect(texts().some((text) => text.includes("word7 "))).toBe(false);
    expect(texts().some((text) => text.includes("other things"))).toBe(true);
    expect(await archive.prune({ id: "CALL7" })).toBe(1);
    expect(texts().some((text) => text.includes("other things") || text.includes("of 7"))).toBe(false);
    const until = new Date(START + 20_000);
    expect(await archive.prune({ until })).toBe(20);
    expect(
      texts()
        .join("")
        .match(/word\d+/g)
        ?.every((word) => Number(word.slice(4)) >= 20),
    ).toBe(true);
    const [late] = await archive.select([{ link: "https://logs.example/late" }]);
    await archive.commit([outcome(late?.item ?? 0, 900, "nameless words")]);
    const { document } = (await archive.find("call30")) ?? {};
    if (!document) throw new Error("There is no document.");
    await archive.commit([{ ...outcome(late?.item ?? 0, 900, ""), document, instanceId: "call30" }]);
    expect(texts().some((text) => text.includes("nameless words"))).toBe(false);
    expect((await archive.find("call30"))?.meta).toEqual({ said: "of 900" });
    expect(await archive.integrity()).toEqual([]);
  });

  test("a damaged block does not stop a run; a document larger than a block is alone in its own", async () => {
    await fill(64, 4000);
    const db = new Database(join(folder, "a.db"));
    db.exec("update blocks set body = x'00' where block = (select min(block) from blocks)");
    db.close();
    const [large] = await archive.select([{ instanceId: "large" }]);
    await archive.commit([outcome(large?.item ?? 0, 1, "x".repeat(1_000_000))]);
    await fill(160, 4000);
    await archive.release();
    expect((await archive.find("large"))?.document?.bytes.length).toBeGreaterThan(1_000_000);
    let without = 0;
    for await (const batch of archive.list({}, { documents: true, tolerant: true }))
      without += batch.filter(({ document }) => !document).length;
    expect(without).toBe(0);
  });

  test("the link is the same, whether it is stored or comes from the metadata", async () => {
    const link = "https://logs.example/a.json";
    const items = await archive.select([{ link }, { link: `${link}2` }]);
    await archive.commit(
      items.map(({ item }, at) => ({
        ...outcome(item, at, "x"),
        link: at === 0 ? link : `${link}2`,
        instanceId: `i${at}`,
        meta: { CallLogUrl: link },
      })),
    );
    expect(look<{ link: string }>("select link from items order by item").map((row) => row.link)).toEqual([
      "",
      `${link}2`,
    ]);
    for await (const batch of archive.list({})) expect(batch.map((record) => record.link)).toEqual([link, `${link}2`]);
    expect((await archive.find("i0"))?.link).toBe(link);
    expect(await archive.look([{ link }, { link: `${link}2` }])).toEqual(["fetched", "fetched"]);
  });
});

describe("deliveries", () => {
  test("are stored as spans, and read item by item", async () => {
    await fill(48, 40);
    const items = look<{ item: number }>("select item from items order by item").map(({ item }) => item);
    const some = items.filter((item) => item % 8 !== 0);
    await archive.delivering("csv", some.toReversed());
    await archive.prepare("/place", ["csv"], 1);
    await archive.confirm("/place", 1);
    expect([...(await archive.delivered("/place", "csv", items)).keys()]).toEqual(some);
    expect(look("select * from deliveries")).toHaveLength(6);
    expect(await archive.delivered("/elsewhere", "csv", items)).toEqual(new Map());
    expect(await archive.holding("CALL0")).toEqual(
      some.includes(items[0] ?? 0) ? [{ place: "/place", format: "csv" }] : [],
    );
  });
});
