import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/sample.ts";
import { createDedupe, type DedupeOptions } from "../../src/transforms/dedupe/dedupe.ts";
import { bandsFor, createSigner, equalBytes, leastEqual, SIMILARITY } from "../../src/transforms/dedupe/minhash.ts";
import { eachShingle, folded } from "../../src/transforms/dedupe/shingles.ts";
import { createSplitter, parseSplits } from "../../src/transforms/split.ts";
import { SOAK } from "../helpers/soak.ts";

/** A small generator, so that every run draws the same. */
const random = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
};
const chance = random(7);
const han = (length: number): string =>
  Array.from({ length }, () => String.fromCharCode(0x4e00 + Math.floor(chance() * 3000))).join("");
const words = (length: number): string =>
  // Letters alone, because all words with a digit are one token.
  Array.from({ length }, () =>
    Array.from({ length: 4 }, () => String.fromCharCode(97 + Math.floor(chance() * 26))).join(""),
  ).join(" ");

const call = (answer: string, system?: string): Message[] => [
  ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
  { role: "user", content: "我的包裹在哪里" },
  { role: "assistant", content: answer },
];
const shingles = (text: string): Set<number> => {
  const found = new Set<number>();
  eachShingle(folded(text), (hash) => found.add(hash));
  return found;
};
const similarity = (one: string, other: string): number => {
  const [a, b] = [shingles(one), shingles(other)];
  const common = [...a].filter((hash) => b.has(hash)).length;
  return common / (a.size + b.size - common);
};
/** Two texts that are about so alike, of 500 tokens each. */
const pair = (alike: number, text: (length: number) => string): [string, string] => {
  const common = Math.round((1000 * alike) / (1 + alike));
  const head = text(common);
  return [`${head} ${text(500 - common)}`, `${head} ${text(500 - common)}`];
};
const kept = (calls: readonly Message[][], options?: DedupeOptions, splitOf?: (index: number) => string): number[] => {
  const dedupe = createDedupe(options);
  return calls.flatMap((messages, index) =>
    dedupe.add(messages, { number: index, split: splitOf?.(index) ?? "" }) === undefined ? [index] : [],
  );
};

describe("exact duplicates", () => {
  const dedupe = (other: Message[], one = call("On its way.")) => {
    const search = createDedupe({ near: "none" });
    search.add(one, { number: 10 });
    return search.add(other, { number: 20 });
  };
  it("are found whatever their case, width and spaces", () => {
    expect(dedupe(call("On its way."))).toMatchObject({ of: 10, kind: "exact" });
    expect(dedupe(call("  ＯＮ its\n WAY． "))).toMatchObject({ of: 10, kind: "exact" });
  });
  it("are none when anything else differs: a word, a role, the system turn, a tool's name", () => {
    expect(dedupe(call("On its way!"))).toBeUndefined();
    expect(dedupe(call("On its way.", "Be kind."))).toBeUndefined();
    expect(dedupe(call("On its way.").map((message) => ({ ...message, role: "user" })))).toBeUndefined();
    const tool = (name: string): Message[] => [
      ...call(""),
      { role: "assistant", content: "", toolCalls: [{ id: name, name, arguments: "{}" }] },
    ];
    expect(dedupe(tool("b"), tool("a"))).toBeUndefined();
    expect(dedupe(tool("a"), tool("a"))).toMatchObject({ of: 10, kind: "exact" });
  });
  it("do not arise from how messages are cut", () => {
    const one: Message[] = [{ role: "user", content: "a b" }];
    const two: Message[] = [
      { role: "user", content: "a" },
      { role: "user", content: "b" },
    ];
    expect(dedupe(two, one)).toBeUndefined();
  });
  it("are those of the earliest call", () => {
    expect(kept([call("a"), call("b"), call("a"), call("a"), call("b")], { near: "none" })).toEqual([0, 1]);
  });
});

describe("near duplicates", () => {
  const PAIRS = SOAK ? 300 : 100;

  /** What share of pairs is found. */
  const found = (alike: number, text: (length: number) => string): { rate: number; similarity: number } => {
    const pairs = Array.from({ length: PAIRS }, () => pair(alike, text));
    const hits = pairs.filter(([one, other]) => {
      const messages = (content: string): Message[] => [{ role: "assistant", content }];
      return kept([messages(one), messages(other)], { exact: false }).length === 1;
    });
    const sum = pairs.slice(0, 20).reduce((total, [one, other]) => total + similarity(one, other), 0);
    return { rate: hits.length / PAIRS, similarity: sum / 20 };
  };

  it.each([
    ["characters of Chinese", han],
    ["words of English", words],
  ])("follow the documented curve, by %s", (_, text) => {
    const curve = [0.5, 0.6, 0.72, 0.8, 0.9].map((alike) => ({ alike, ...found(alike, text) }));
    for (const { alike, similarity: measured } of curve) expect(Math.abs(measured - alike)).toBeLessThan(0.02);
    const [half, sixth, middle, eighth, ninth] = curve.map(({ rate }) => rate);
    expect(half).toBe(0);
    expect(sixth).toBeLessThan(0.05);
    expect(middle).toBeGreaterThan(0.35);
    expect(middle).toBeLessThan(0.65);
    expect(eighth).toBeGreaterThan(0.85);
    expect(ninth).toBeGreaterThan(0.99);
  });

  it("are shingles of characters and of words also within one text", () => {
    expect(shingles("我要查我的").size).toBe(1);
    expect(shingles("我要查我的包").size).toBe(2);
    expect(shingles("red blue green black white brown").size).toBe(2);
    expect(shingles("我要 reset 密码").size).toBe(1);
    expect(shingles("Hi there").size).toBe(1);
    expect(shingles("…！ ?").size).toBe(0);
    expect(shingles("Red, blue; GREEN black white")).toEqual(shingles("red blue green black white"));
  });

  it("are told by what is said: agents share their system turn", () => {
    const prompt = han(2000);
    expect(kept([call(han(200), prompt), call(han(200), prompt)])).toEqual([0, 1]);
    const answer = han(200);
    expect(kept([call(answer, "One."), call(answer, "Two.")])).toEqual([0]);
    expect(kept([call(answer, "One."), call(answer, "Two.")], { near: "none" })).toEqual([0, 1]);
  });

  it("do not swallow thousands of calls that share a good part of a script", () => {
    const script = han(200);
    const calls = Array.from({ length: SOAK ? 4000 : 2000 }, () => call(script + han(150)));
    expect(kept(calls)).toHaveLength(calls.length);
  });

  it("keep calls without a letter, unless they are the same", () => {
    const silent = (content: string): Message[] => [{ role: "user", content }];
    expect(kept([silent("…"), silent("！"), silent("")])).toEqual([0, 1, 2]);
    expect(kept([silent("…"), silent("...")])).toEqual([0]);
  });
});

/** Calls in families: copies, near copies, chains of near copies, and strangers. */
const families = (count: number, seed: number): Message[][] => {
  const draw = random(seed);
  const bases = Array.from({ length: Math.ceil(count / 4) }, () => words(120).split(" "));
  return Array.from({ length: count }, () => {
    const base = bases[Math.floor(draw() * bases.length)] ?? [];
    const changes = Math.floor(draw() * 12);
    const from = Math.floor(draw() * 100);
    return call(base.map((word, at) => (at >= from && at < from + changes ? `${word}x` : word)).join(" "));
  });
};

const { bands, words: bandWords } = bandsFor(SIMILARITY);
const signature = (text: string): Uint32Array | undefined => {
  const signer = createSigner();
  signer.add(text);
  return signer.signature()?.words;
};

/** Whether two calls share a band and are alike. */
const isFound = (one: Uint32Array = new Uint32Array(), other: Uint32Array = new Uint32Array()): boolean =>
  equalBytes({ words: one, at: 0 }, { words: other, at: 0 }) >= leastEqual(SIMILARITY) &&
  Array.from({ length: bands }, (_, band) => band * bandWords).some((at) =>
    one.subarray(at, at + bandWords).every((word, index) => word === other[at + index]),
  );

describe("as the data grows", () => {
  const splitOf = (index: number): string => splitter(`call-${index}`);
  const splitter = createSplitter(parseSplits("train=0.6,validation=0.2,test=0.2"), "1");

  it.each(["all", "other-splits"] as const)("no decision about an old call changes (%s)", (of) => {
    const calls = families(1500, 3);
    const before = kept(calls.slice(0, 700), { near: of, exact: of === "all" }, splitOf);
    expect(kept(calls, { near: of, exact: of === "all" }, splitOf).filter((index) => index < 700)).toEqual(before);
    expect(before.length).toBeLessThan(700);
  });

  it.each(["all", "other-splits"] as const)("what is kept never straddles two splits (%s)", (of) => {
    const calls = families(800, 5);
    const stays = kept(calls, { near: of, exact: of === "all" }, splitOf);
    const signatures = calls.map((messages) => signature(messages.map(({ content }) => folded(content)).join("\n")));
    for (const one of stays)
      for (const other of stays)
        if (one < other && splitOf(one) !== splitOf(other))
          expect([one, other, isFound(signatures[one], signatures[other])]).toEqual([one, other, false]);
  });

  it("duplicates may stay side by side in one split, when only straddling ones are dropped", () => {
    const calls = Array.from({ length: 40 }, () => call("The very same."));
    const stays = kept(calls, { near: "other-splits", exact: false }, splitOf);
    expect(new Set(stays.map(splitOf))).toEqual(new Set([splitOf(0)]));
    expect(stays.length).toBeGreaterThan(10);
    expect(kept(calls, {}, splitOf)).toEqual([0]);
  });

  it("a newcomer that is like two old calls in different splits is dropped; neither of them moves", () => {
    const [head, tail] = [words(100), words(100)];
    const [one, other] = [call(`${head} ${words(8)}`), call(`${tail} ${words(8)}`)];
    const joining = call(`${head} ${tail}`);
    const where = (index: number): string => ["train", "test", "train"][index] ?? "";
    expect(kept([one, other, joining], { near: "other-splits", exact: false }, where).slice(0, 2)).toEqual([0, 1]);
  });

  it("two runs decide the same, whatever the text", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
        const calls = texts.map((content): Message[] => [{ role: "user", content: content.toWellFormed() }]);
        expect(kept(calls)).toEqual(kept(calls));
        // The same folded text is never kept twice.
        const folds = kept(calls).map((index) => folded(calls[index]?.[0]?.content ?? ""));
        expect(new Set(folds).size).toBe(folds.length);
      }),
    );
  });
});
