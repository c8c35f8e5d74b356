import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../src/core/errors.ts";
import { createSplitter, parseSplits, unitHash } from "../../src/transforms/split.ts";

describe("--split", () => {
  it("is read as names with shares, in order", () => {
    expect(parseSplits("train=0.9,validation=0.05,test=0.05")).toEqual([
      { name: "train", share: 0.9 },
      { name: "validation", share: 0.05 },
      { name: "test", share: 0.05 },
    ]);
    expect(parseSplits(" train = .8 , val = .1 , holdout = .1 ").map(({ name }) => name)).toEqual([
      "train",
      "val",
      "holdout",
    ]);
    expect(parseSplits("train=1")).toEqual([{ name: "train", share: 1 }]);
    expect(parseSplits(Array.from({ length: 10 }, (_, index) => `${"abcdefghij"[index]}=0.1`).join(","))).toHaveLength(
      10,
    );
  });
  it.each([
    ["train=0.9,test=0.2", "add up to 1.1, not to 1"],
    ["train=0.9", "add up to 0.9"],
    ["train=0.5,train=0.5", 'names "train" twice'],
    ["train=0.9,val=0.05,validation=0.05", 'both "val" and "validation"'],
    ["train", "names in lower-case letters with their shares"],
    ["Train=1", "names in lower-case letters"],
    ["../x=1", "names in lower-case letters"],
    ["train=1,test=0", "above 0"],
    ["train=-1,test=2", "names in lower-case letters"],
    ["", "names in lower-case letters"],
    ["train=1,", "names in lower-case letters"],
    ["train=1e0", "names in lower-case letters"],
    ["train=2", "at most 1"],
  ])("refuses %s", (text, message) => {
    expect(() => parseSplits(text)).toThrow(UsageError);
    expect(() => parseSplits(text)).toThrow(message);
  });
});

describe("the split of a call", () => {
  const splits = parseSplits("train=0.9,validation=0.05,test=0.05");

  it("is the documented one, so that anybody can compute it", () => {
    const hash = createHash("sha256").update("7:call-1").digest("hex");
    expect(unitHash("7:call-1")).toBe(Number.parseInt(hash.slice(0, 12), 16) / 2 ** 48);
    // Written down once: these must never change.
    const split = createSplitter(splits, "1");
    const elsewhere = Array.from({ length: 60 }, (_, index) => `call-${index}`).filter((id) => split(id) !== "train");
    expect(elsewhere.map((id) => `${id} ${split(id)}`)).toMatchInlineSnapshot(`
      [
        "call-7 test",
        "call-11 test",
        "call-45 validation",
        "call-51 test",
      ]
    `);
  });

  it("follows the shares", () => {
    const split = createSplitter(splits, "1");
    const counts: Record<string, number> = {};
    for (let index = 0; index < 20_000; index++) {
      const name = split(`call-${index}`);
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts.train).toBeGreaterThan(17_800);
    expect(counts.train).toBeLessThan(18_200);
    expect(counts.validation).toBeGreaterThan(900);
    expect(counts.test).toBeGreaterThan(900);
  });

  it("depends on nothing but the seed, the id and the shares", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), fc.string(), (seed, others, id) => {
        const split = createSplitter(splits, seed);
        others.forEach(split);
        return split(id) === createSplitter(splits, seed)(id);
      }),
    );
    const moved = (one: string, other: string): number =>
      Array.from({ length: 1000 }, (_, index) => `call-${index}`).filter(
        (id) => createSplitter(splits, one)(id) !== createSplitter(splits, other)(id),
      ).length;
    expect(moved("1", "2")).toBeGreaterThan(100);
  });

  it("stays for most when shares change", () => {
    const old = createSplitter(splits, "1");
    const changed = createSplitter(parseSplits("train=0.8,validation=0.1,test=0.1"), "1");
    const ids = Array.from({ length: 5000 }, (_, index) => `call-${index}`);
    expect(ids.filter((id) => old(id) === "test" && changed(id) !== "test")).toEqual([]);
    expect(ids.filter((id) => old(id) !== changed(id)).length).toBeLessThan(0.17 * 5000);
  });
});
