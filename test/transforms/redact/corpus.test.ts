import { beforeAll, describe, expect, it } from "vitest";
import { createRedactor, REDACT_CATEGORIES, type Redactor } from "../../../src/transforms/redact/index.ts";
import { precision, readCorpus, recall, type Score, scored } from "./corpus.ts";

const corpus = readCorpus();
let redact: Redactor;
beforeAll(async () => {
  redact = await createRedactor({ categories: REDACT_CATEGORIES });
});

const table = (scores: Record<string, Score>): string =>
  REDACT_CATEGORIES.map((name) => {
    const score = scores[name] ?? { right: 0, wrong: 0, missed: 0 };
    const figures = [precision(score), recall(score)].map((figure) => figure.toFixed(3).padStart(10));
    return `${name.padEnd(12)}${figures.join("")}   right ${score.right}, wrong ${score.wrong}, missed ${score.missed}`;
  }).join("\n");

const report = (title: string, lines: typeof corpus): ReturnType<typeof scored> => {
  const result = scored(redact, lines);
  console.log(`${title}, ${lines.length} lines\n${"".padEnd(12)} precision    recall\n${table(result.scores)}`);
  return result;
};

describe("the redaction corpus", () => {
  it("holds at least 300 lines, many without anything to find", () => {
    expect(corpus.length).toBeGreaterThanOrEqual(300);
    expect(corpus.filter(({ spans }) => spans.length === 0).length / corpus.length).toBeGreaterThan(0.35);
    expect(corpus.filter(({ text, spans }) => spans.some(({ value }) => !text.includes(value)))).toEqual([]);
  });

  it("is found with a precision of 0.98 and a recall of 0.95", () => {
    const { scores, mistakes } = report("all", corpus);
    console.log(mistakes.join("\n"));
    for (const name of ["phone", "email", "id-card", "bank-card"]) {
      const score = scores[name] ?? { right: 0, wrong: 0, missed: 0 };
      expect(precision(score), `precision of ${name}`).toBeGreaterThanOrEqual(0.98);
      expect(recall(score), `recall of ${name}`).toBeGreaterThanOrEqual(0.95);
    }
  });

  it.each(["tune", "held-out"])("is reported for its %s lines", (set) => {
    const { scores } = report(
      set,
      corpus.filter((line) => line.set === set),
    );
    expect(Object.keys(scores).length).toBeGreaterThan(0);
  });
});
