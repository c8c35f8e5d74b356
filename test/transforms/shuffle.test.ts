import { describe, expect, it } from "vitest";
import { createSampler, createShuffle } from "../../src/transforms/shuffle.ts";
import { createSplitter, parseSplits } from "../../src/transforms/split.ts";

const ids = Array.from({ length: 3000 }, (_, index) => `call-${index}`);

const shuffled = (seed: string, list: readonly string[]): string[] => {
  const shuffle = createShuffle(seed);
  for (const id of list) shuffle.add(id);
  return [...shuffle.order()].map((index) => list[index] ?? "");
};
const sampled = (seed: string, limit: number, list: readonly string[]): string[] => {
  const sampler = createSampler<string>(seed, limit);
  for (const id of list) sampler.add(id, id);
  return sampler.values();
};

describe("shuffling", () => {
  it("loses and doubles nothing, and does shuffle", () => {
    const order = shuffled("1", ids);
    expect([...order].sort()).toEqual([...ids].sort());
    const places = order.map((id) => ids.indexOf(id));
    expect(places.filter((place, index) => Math.abs(place - index) < 30).length).toBeLessThan(150);
  });
  it("is the same whatever order the samples come in, and another for another seed", () => {
    expect(shuffled("1", [...ids].reverse())).toEqual(shuffled("1", ids));
    expect(shuffled("2", ids)).not.toEqual(shuffled("1", ids));
  });
  it("puts new samples between the old ones, whose order stays", () => {
    const old = new Set(ids.slice(0, 1000));
    expect(shuffled("1", ids).filter((id) => old.has(id))).toEqual(shuffled("1", [...old]));
  });
  it("takes nothing to shuffle", () => {
    expect(createShuffle("1").order()).toHaveLength(0);
  });
});

describe("sampling", () => {
  it("keeps so many, in the order they came, and all when there are no more", () => {
    const kept = sampled("1", 100, ids);
    expect(kept).toHaveLength(100);
    expect(kept.map((id) => ids.indexOf(id))).toEqual(kept.map((id) => ids.indexOf(id)).sort((a, b) => a - b));
    expect(sampled("1", 5000, ids)).toEqual(ids);
    expect(sampled("1", 0, ids)).toEqual([]);
  });
  it("keeps the same ones whatever order they come in", () => {
    expect(sampled("1", 100, [...ids].reverse()).sort()).toEqual(sampled("1", 100, ids).sort());
  });
  it("never takes an old one again that it left out, as the data grows or the limit does", () => {
    const before = new Set(sampled("1", 100, ids.slice(0, 2000)));
    const old = new Set(ids.slice(0, 2000));
    const after = sampled("1", 100, ids);
    expect(after.filter((id) => old.has(id) && !before.has(id))).toEqual([]);
    expect(after.filter((id) => before.has(id)).length).toBeGreaterThan(40);
    const more = new Set(sampled("1", 300, ids));
    expect(after.every((id) => more.has(id))).toBe(true);
  });
  it("says which value has no place any more", () => {
    const sampler = createSampler<number>("1", 10);
    const lost = ids.slice(0, 200).flatMap((id, index) => {
      const out = sampler.add(id, index);
      return out ? [out.lost] : [];
    });
    expect([...lost, ...sampler.values()].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
  it("draws from all splits alike, also with the seed of the split", () => {
    const split = createSplitter(parseSplits("train=0.5,test=0.5"), "1");
    const inTest = sampled("1", 400, ids).filter((id) => split(id) === "test").length;
    expect(inTest).toBeGreaterThan(150);
    expect(inTest).toBeLessThan(250);
  });
});
