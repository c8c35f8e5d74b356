import { describe, expect, it } from "vitest";
import { BINS, createHistogram } from "../../src/reports/histogram.ts";
import { createStats } from "../../src/reports/stats.ts";
import { addCall, factsOf, sample } from "./facts.ts";

describe("the facts of a data set", () => {
  const { facts, examples } = factsOf();
  it("add up", () => {
    expect(facts.calls).toEqual({ read: 60, kept: 40, changed: 20, dropped: 20 });
    expect(facts.samples).toBe(40);
    expect(facts.splits).toEqual([
      { name: "train", calls: 36, changed: 20, samples: 36, tokens: 78_000 - 6000 },
      { name: "test", calls: 4, changed: 0, samples: 4, tokens: 6000 },
    ]);
    expect(facts.tokens).toBe(78_000);
    expect(facts.languages).toEqual({ zh: 10, en: 10, mixed: 10, other: 10 });
    expect(facts.dropped).toEqual([
      { step: "roles", reason: "role:x", calls: 15 },
      { step: "roles", reason: "no-user-turn", calls: 5 },
    ]);
    expect(facts.changed).toEqual([
      { change: "greeting-quoted", calls: 20 },
      { change: "turns-merged", calls: 20 },
    ]);
    for (const measure of Object.values(facts.measures))
      expect(measure.bins.reduce((sum, { count }) => sum + count, 0)).toBe(measure.count);
  });
  it("hold ten samples, chosen by seed alone, and none of their words but there", () => {
    expect(examples).toHaveLength(10);
    expect(factsOf().examples).toEqual(examples);
    expect(factsOf(undefined, "2").examples.map(({ id }) => id)).not.toEqual(examples.map(({ id }) => id));
    expect(JSON.stringify(facts)).not.toContain("句");
  });
  it("count a call once, however many samples are made of it", () => {
    const stats = createStats({ seed: "1" });
    const expanded = [1, 2, 3].map((part) => ({ ...sample(1), id: `call-1#${part}` }));
    addCall(stats, expanded, { split: "train", changes: ["a", "a"] });
    const { calls, samples, measures, changed } = stats.facts({ tool: "t", task: "chat", policies: {}, files: [] });
    expect({ calls, samples }).toEqual({ calls: { read: 1, kept: 1, changed: 1, dropped: 0 }, samples: 3 });
    expect([measures.turns.count, measures.seconds?.count]).toEqual([3, 1]);
    expect(changed).toEqual([{ change: "a", calls: 1 }]);
  });
  it("are those of nothing, too", () => {
    const { calls, samples, measures, tokens } = createStats({ seed: "" }).facts({
      tool: "t",
      task: "chat",
      policies: {},
      files: [],
    });
    expect({ samples, tokens, read: calls.read, turns: measures.turns.count }).toEqual({
      samples: 0,
      tokens: undefined,
      read: 0,
      turns: 0,
    });
  });
  it("stay small whatever passes by", () => {
    const stats = createStats({ seed: "1" });
    for (let index = 0; index < 5000; index++) stats.drop({ callId: "c", step: "roles", reason: `role:${index}` });
    const long = {
      ...sample(1),
      messages: Array.from({ length: 500 }, () => ({ role: "user" as const, content: "x".repeat(5000) })),
    };
    addCall(stats, [long], { split: "train", changes: [] });
    const { dropped } = stats.facts({ tool: "t", task: "chat", policies: {}, files: [] });
    expect(dropped.length).toBeLessThanOrEqual(201);
    expect(dropped.reduce((sum, { calls }) => sum + calls, 0)).toBe(5000);
    const [example] = stats.examples();
    expect((example?.head.length ?? 0) + (example?.omitted ?? 0) + (example?.tail.length ?? 0)).toBe(500);
    expect(JSON.stringify(example).length).toBeLessThan(20_000);
  });
});

describe("a histogram", () => {
  it("tells quantiles exactly, and bins whose ends are included", () => {
    const histogram = createHistogram(BINS.turns);
    expect(histogram.measure()).toBeUndefined();
    for (let value = 1; value <= 100; value++) histogram.add(value);
    histogram.add(1e9);
    const measure = histogram.measure();
    expect(measure).toMatchObject({ count: 101, min: 1, max: 1e9, median: 51, p90: 91, p99: 100 });
    expect(measure?.bins.slice(0, 3)).toEqual([
      { from: 0, to: 2, count: 2 },
      { from: 3, to: 4, count: 2 },
      { from: 5, to: 6, count: 2 },
    ]);
    expect(measure?.bins.at(-1)).toEqual({ from: 101, count: 1 });
  });
  it("takes no harm from numbers that are none", () => {
    const histogram = createHistogram(BINS.seconds);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -5, 0.4]) histogram.add(value);
    expect(histogram.measure()).toMatchObject({ count: 2, min: 0, max: 0, sum: 0 });
  });
});
