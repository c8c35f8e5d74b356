import type { Sample } from "../../src/core/sample.ts";
import { createStats, sizeOf } from "../../src/reports/stats.ts";

/** What breaks careless pages, tables and front matter. */
export const HOSTILE = `"><script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>'\`{a|b}&amp;]]>\u0000\ud800\n---\n| **x** 极端`;

export const sample = (index: number, text = `第 ${index} 句`): Sample => ({
  id: `call-${index}`,
  callId: `call-${index}`,
  language: (["zh", "en", "mixed", "other"] as const)[index % 4] ?? "other",
  tokens: 100 * index,
  durationSeconds: 10 * index,
  messages: [
    { role: "system", content: text },
    ...Array.from({ length: 2 * (index % 20) + 2 }, (_, turn) => ({
      role: turn % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content: `${text} ${turn}`,
    })),
  ],
});

/** Adds a call with its samples. */
export const addCall = (
  stats: ReturnType<typeof createStats>,
  samples: readonly Sample[],
  { split, changes }: { split: string; changes: readonly string[] },
): void => {
  const seconds = samples[0]?.durationSeconds;
  stats.keep({ split, changes, ...(seconds !== undefined && { seconds }) });
  for (const each of samples) {
    stats.count(sizeOf(each), split);
    stats.offer(each, split, changes);
  }
};

/** The facts and examples of a data set of 60 calls, 20 of them dropped. */
export const factsOf = (text?: string, seed = "1") => {
  const stats = createStats({ seed });
  for (let index = 0; index < 40; index++)
    addCall(stats, [sample(index, text)], {
      split: index % 10 === 0 ? "test" : "train",
      changes: index % 2 === 0 ? [] : [text ?? "turns-merged", "greeting-quoted"],
    });
  for (let index = 0; index < 20; index++)
    stats.drop({
      callId: `dropped-${index}`,
      step: "roles",
      reason: index < 15 ? `role:${text ?? "x"}` : "no-user-turn",
    });
  const facts = stats.facts({
    tool: "callarchive 9.9.9",
    task: "chat",
    policies: { greeting: text ?? "system", dedupe: true, "max-tokens": 2048 },
    files: [
      { preset: "messages", split: "train", name: "train-00000-of-00002.jsonl", rows: 20, bytes: 2000 },
      { preset: "messages", split: "train", name: "train-00001-of-00002.jsonl", rows: 16, bytes: 1600 },
      { preset: "messages", split: "test", name: "test.jsonl", rows: 4, bytes: 400 },
    ],
    splits: ["train", "validation", "test"],
  });
  return { facts, examples: stats.examples() };
};
