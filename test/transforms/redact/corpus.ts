import { readFileSync } from "node:fs";
import type { Transcript } from "../../../src/core/transcript.ts";
import type { Redactor } from "../../../src/transforms/redact/index.ts";

/**
One labelled line; `spans` in order of place. The held-out lines of the first corpus were never tuned on; those of the second
were run once before they were (see docs/redaction.md).
*/
export interface Labelled {
  text: string;
  lang: "zh" | "en";
  mode: "written" | "spoken";
  spans: { category: string; value: string }[];
  set: "tune" | "held-out";
  /** Of the second corpus: who speaks. */
  domain?: string;
}

/** The first corpus has no labels for names, addresses and WeChat ids. */
export const readCorpus = (name: "corpus" | "corpus-2"): Labelled[] =>
  readFileSync(new URL(`../../fixtures/redaction/${name}.ndjson`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** A call in which these texts are said, the caller's first, then by turns. */
export const callOf = (...texts: string[]): Transcript => ({
  id: "call-1",
  source: "calls",
  participants: {},
  turns: texts.map((text, index) => ({
    id: String(index + 1),
    role: index % 2 === 0 ? "user" : "agent",
    kind: "normal",
    text,
  })),
  provenance: { records: [{ source: "calls", sha256: "0".repeat(64), bytes: 1 }] },
});

export const redactText = (redact: Redactor, text: string): string =>
  redact(callOf(text)).transcript.turns[0]?.text ?? "";

/** Finds as `category:start-end`, told from the text and its redaction. */
const findsIn = (text: string, redacted: string): string[] => {
  const finds: string[] = [];
  const rest = redacted.split(/<([A-Z_]+)_\d+>/);
  let position = (rest[0] ?? "").length;
  for (let index = 1; index < rest.length; index += 2) {
    const literal = rest[index + 1] ?? "";
    const end = index + 2 >= rest.length ? text.length - literal.length : text.indexOf(literal, position + 1);
    finds.push(`${rest[index]?.toLowerCase().replaceAll("_", "-")}:${position}-${end}`);
    position = end + literal.length;
  }
  return finds;
};

const expectedIn = ({ text, spans }: Labelled): string[] => {
  let position = 0;
  return spans.map(({ category, value }) => {
    const start = text.indexOf(value, position);
    position = start + value.length;
    return `${category}:${start}-${position}`;
  });
};

export interface Score {
  right: number;
  wrong: number;
  missed: number;
}
export const precision = ({ right, wrong }: Score): number => right / (right + wrong || 1);
export const recall = ({ right, missed }: Score): number => right / (right + missed || 1);

/** Scores per category. A find is right when category, start and end are all as labelled. */
export const scored = (redact: Redactor, corpus: readonly Labelled[]) => {
  const scores: Record<string, Score> = {};
  const mistakes: string[] = [];
  for (const labelled of corpus) {
    const redacted = redactText(redact, labelled.text);
    const [found, expected] = [findsIn(labelled.text, redacted), expectedIn(labelled)];
    const count = (find: string, key: keyof Score): void => {
      const category = find.split(":")[0] ?? "";
      const score = scores[category] ?? { right: 0, wrong: 0, missed: 0 };
      scores[category] = score;
      score[key] += 1;
    };
    for (const find of found) count(find, expected.includes(find) ? "right" : "wrong");
    for (const find of expected) if (!found.includes(find)) count(find, "missed");
    if (found.join() !== expected.join()) mistakes.push(`${labelled.text}  =>  ${redacted}`);
  }
  return { scores, mistakes };
};
