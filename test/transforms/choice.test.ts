import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, type ChoiceLimits, createChoice, lengthGroup } from "../../src/transforms/choice.ts";

const choiceOf = (candidates: readonly Candidate[], limits: ChoiceLimits, seed = "0") => {
  const { add, choose } = createChoice(seed, limits);
  for (const each of candidates) add(each);
  return choose();
};
const chosen = (candidates: readonly Candidate[], limits: ChoiceLimits, seed?: string): Candidate[] => {
  const choice = choiceOf(candidates, limits, seed);
  return candidates.filter(({ id }) => choice(id) === undefined);
};
const sizes = (candidates: readonly Candidate[], by: "agent" | "group"): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const each of candidates) counts[each[by]] = (counts[each[by]] ?? 0) + 1;
  return counts;
};
const many = (counts: Record<string, number>, by: "agent" | "group" = "group"): Candidate[] =>
  Object.entries(counts).flatMap(([name, count]) =>
    Array.from({ length: count }, (_, at) => ({ id: `${name}-${at}`, agent: "a", group: "g", [by]: name })),
  );

describe("a choice of samples", () => {
  test("keeps at most so many of each agent", () => {
    const all = many({ one: 500, two: 30, three: 3 }, "agent");
    expect(sizes(chosen(all, { perAgent: 20 }), "agent")).toEqual({ one: 20, two: 20, three: 3 });
    expect(choiceOf(all, { perAgent: 3 })("one-1")).toBe("per-agent");
  });

  test("makes groups as large as the smallest, or divides a number among them", () => {
    const all = many({ zh: 3000, en: 200, other: 7 });
    expect(sizes(chosen(all, { balance: true }), "group")).toEqual({ zh: 7, en: 7, other: 7 });
    expect(sizes(chosen(all, { balance: true, most: 301 }), "group")).toEqual({ zh: 147, en: 147, other: 7 });
    expect(sizes(chosen(all, { balance: true, most: 2 }), "group")).toEqual({ zh: 1, en: 1 });
    expect(chosen(all, { balance: true, most: 9999 })).toHaveLength(3207);
  });

  test("limits agents first, then groups, then all", () => {
    const all = [
      ...many({ zh: 100, en: 40 }),
      ...many({ zh: 300 }).map((each) => ({ ...each, id: `b${each.id}`, agent: "b" })),
    ];
    expect(sizes(chosen(all, { perAgent: 50, balance: true }), "agent").b).toBeLessThanOrEqual(50);
    const some = chosen(all, { perAgent: 50, most: 30 });
    expect(some).toHaveLength(30);
    const choice = choiceOf(all, { perAgent: 50, most: 30 });
    const steps = new Set(all.map(({ id }) => choice(id)));
    expect(choice("never added")).toBe("sample");
    expect(steps).toEqual(new Set([undefined, "per-agent", "sample"]));
  });

  test("does not depend on the order, changes with the seed, and a larger one has all of a smaller one", () => {
    const candidate = fc.record({
      id: fc.string({ maxLength: 6 }),
      agent: fc.constantFrom("a", "b", "c"),
      group: fc.constantFrom("x", "y", "z"),
    });
    const limits = fc.record({
      perAgent: fc.option(fc.nat(9), { nil: undefined }),
      balance: fc.boolean(),
      most: fc.option(fc.nat(30), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(candidate, { selector: ({ id }) => id, maxLength: 60 }), limits, (all, wanted) => {
        const ids = (list: readonly Candidate[]) => list.map(({ id }) => id).toSorted();
        const kept = chosen(all, wanted);
        expect(ids(chosen(all.toReversed(), wanted))).toEqual(ids(kept));
        if (wanted.most !== undefined) expect(kept.length).toBeLessThanOrEqual(wanted.most);
        if (wanted.perAgent !== undefined)
          expect(Math.max(0, ...Object.values(sizes(kept, "agent")))).toBeLessThanOrEqual(wanted.perAgent);
        if (wanted.balance && wanted.most === undefined && kept.length > 0)
          expect(new Set(Object.values(sizes(kept, "group"))).size).toBe(1);
      }),
      { seed: 11 },
    );
    const all = many({ zh: 400, en: 300 });
    const [few, more, other] = [chosen(all, { most: 20 }), chosen(all, { most: 60 }), chosen(all, { most: 20 }, "1")];
    expect(few.every((each) => more.includes(each))).toBe(true);
    expect(other).not.toEqual(few);
    expect(choiceOf(all, { most: 20 })("zh-1")).toBe(choiceOf(all.toReversed(), { most: 20 })("zh-1"));
  });

  test("groups lengths by turns, without the system turn", () => {
    const group = (turns: number) =>
      lengthGroup([{ role: "system" }, ...Array.from({ length: turns }, () => ({ role: "user" }))]);
    expect([1, 4, 5, 8, 9, 16, 17, 32, 33].map(group)).toEqual([
      "up to 4",
      "up to 4",
      "up to 8",
      "up to 8",
      "up to 16",
      "up to 16",
      "up to 32",
      "up to 32",
      "longer",
    ]);
  });
});
