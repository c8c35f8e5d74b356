import { beforeAll, describe, expect, it } from "vitest";
import { createRedactor, REDACT_CATEGORIES, type Redactor } from "../../../src/transforms/redact/index.ts";
import { type Labelled, precision, readCorpus, recall, redactText, type Score, scored } from "./corpus.ts";

let redact: Redactor;
beforeAll(async () => {
  redact = await createRedactor({ categories: REDACT_CATEGORIES });
});

/** The categories that the first corpus has labels for. */
const LABELLED = REDACT_CATEGORIES.filter((name) => !["name", "address", "wechat"].includes(name));
const NONE: Score = { right: 0, wrong: 0, missed: 0 };

const table = (scores: Record<string, Score>, names: readonly string[]): string =>
  names
    .map((name) => {
      const score = scores[name] ?? NONE;
      const figures = [precision(score), recall(score)].map((figure) => figure.toFixed(3).padStart(10));
      return `${name.padEnd(12)}${figures.join("")}   right ${score.right}, wrong ${score.wrong}, missed ${score.missed}`;
    })
    .join("\n");

const report = (title: string, lines: readonly Labelled[], names: readonly string[]): ReturnType<typeof scored> => {
  const result = scored(redact, lines);
  console.log(`${title}, ${lines.length} lines\n${"".padEnd(12)} precision    recall\n${table(result.scores, names)}`);
  return result;
};

describe("the redaction corpus", () => {
  const corpus = readCorpus("corpus");

  it("holds at least 300 lines, many without anything to find", () => {
    expect(corpus.length).toBeGreaterThanOrEqual(300);
    expect(corpus.filter(({ spans }) => spans.length === 0).length / corpus.length).toBeGreaterThan(0.35);
    expect(corpus.filter(({ text, spans }) => spans.some(({ value }) => !text.includes(value)))).toEqual([]);
  });

  it("is found with a precision of 0.98 and a recall of 0.95", () => {
    const { scores, mistakes } = report("all", corpus, LABELLED);
    console.log(mistakes.join("\n"));
    for (const name of ["phone", "email", "id-card", "bank-card"]) {
      const score = scores[name] ?? NONE;
      expect(precision(score), `precision of ${name}`).toBeGreaterThanOrEqual(0.98);
      expect(recall(score), `recall of ${name}`).toBeGreaterThanOrEqual(0.95);
    }
  });

  it("stays at the figures that it had before names and addresses were looked for", () => {
    const { scores } = scored(redact, corpus);
    const wrongOrMissed = LABELLED.map((name) => [name, scores[name]?.wrong, scores[name]?.missed]);
    expect(wrongOrMissed).toEqual([
      ["email", 0, 0],
      ["url", 0, 0],
      ["ip", 1, 0],
      ["id-card", 0, 0],
      ["bank-card", 0, 0],
      ["phone", 2, 3],
      ["passport", 0, 0],
      ["plate", 0, 0],
    ]);
  });

  it.each(["tune", "held-out"])("is reported for its %s lines", (set) => {
    const lines = corpus.filter((line) => line.set === set);
    const { scores } = report(set, lines, LABELLED);
    expect(Object.keys(scores).length).toBeGreaterThan(0);
  });
});

describe("the second redaction corpus", () => {
  const corpus = readCorpus("corpus-2");

  it("holds at least 400 lines of seven domains, none of the first corpus, a third without anything to find", () => {
    const first = new Set(readCorpus("corpus").map(({ text }) => text));
    expect(corpus.length).toBeGreaterThanOrEqual(400);
    expect(new Set(corpus.map(({ text }) => text)).size).toBe(corpus.length);
    expect(corpus.filter(({ text }) => first.has(text))).toEqual([]);
    expect(new Set(corpus.map(({ domain }) => domain)).size).toBe(7);
    expect(corpus.filter(({ spans }) => spans.length === 0).length / corpus.length).toBeGreaterThan(0.33);
    expect(corpus.filter(({ text, spans }) => spans.some(({ value }) => !text.includes(value)))).toEqual([]);
  });

  it("is found with a precision of 0.98 and a recall of 0.95 in every category", () => {
    const { scores, mistakes } = report("second", corpus, REDACT_CATEGORIES);
    console.log(mistakes.join("\n"));
    for (const name of REDACT_CATEGORIES) {
      const score = scores[name] ?? NONE;
      expect(score.right + score.missed, `lines with ${name}`).toBeGreaterThanOrEqual(15);
      expect(precision(score), `precision of ${name}`).toBeGreaterThanOrEqual(0.98);
      expect(recall(score), `recall of ${name}`).toBeGreaterThanOrEqual(0.95);
    }
  });

  it("keeps every line without personal data as it is", () => {
    const clean = corpus.filter(({ spans }) => spans.length === 0).map(({ text }) => text);
    expect(clean.filter((text) => redactText(redact, text) !== text)).toEqual([]);
  });
});
