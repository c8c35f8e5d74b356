import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createShards, shardName } from "../../src/presets/files/shards.ts";

describe("files of a split", () => {
  it("have the names that readers of folders know", () => {
    expect(shardName("train", ".jsonl")).toBe("train.jsonl");
    expect(shardName("train", ".jsonl.gz", 0, 4)).toBe("train-00000-of-00004.jsonl.gz");
    expect(shardName("test", ".parquet", 3, 4)).toBe("test-00003-of-00004.parquet");
  });
  it("are one without a limit, and none without rows", () => {
    const shards = createShards();
    expect(shards.count).toBe(0);
    expect([5, 500, 5e9].map(shards.place)).toEqual([0, 0, 0]);
    expect(shards.count).toBe(1);
  });
  it("stay within the limit but for a row that is larger alone, keep their order, and none is empty", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 150 })), fc.constant(100), (rows, limit) => {
        const shards = createShards(limit);
        const placed = rows.map((bytes) => ({ bytes, shard: shards.place(bytes) }));
        const files = Array.from({ length: shards.count }, (_, shard) => placed.filter((row) => row.shard === shard));
        expect(files.flat()).toEqual(placed);
        for (const file of files) {
          expect(file.length).toBeGreaterThan(0);
          const size = file.reduce((sum, { bytes }) => sum + bytes, 0);
          expect(size <= limit || file.length === 1).toBe(true);
        }
      }),
    );
  });
});
