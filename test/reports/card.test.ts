import { describe, expect, it } from "vitest";
import { datasetCard } from "../../src/reports/card.ts";
import { factsOf, HOSTILE } from "./facts.ts";

describe("the data set card", () => {
  const { facts } = factsOf();
  const card = datasetCard(facts);

  it("names every file of every split in its front matter", () => {
    expect(card.slice(0, card.indexOf("\n---\n", 4) + 5)).toMatchInlineSnapshot(`
      "---
      license: unknown
      language:
      - zh
      - en
      task_categories:
      - text-generation
      tags:
      - conversational
      size_categories:
      - n<1K
      configs:
      - config_name: default
        data_files:
        - split: train
          path:
          - "train-00000-of-00002.jsonl"
          - "train-00001-of-00002.jsonl"
        - split: test
          path:
          - "test.jsonl"
      ---
      "
    `);
  });
  it("leaves out empty files, and gives each preset a configuration of its own", () => {
    const files = [
      { preset: "trl", split: "train", name: "trl/train.parquet", rows: 3, bytes: 30 },
      { preset: "trl", split: "test", name: "trl/test.parquet", rows: 0, bytes: 0 },
      { preset: "messages", split: "train", name: "messages/train.jsonl", rows: 3, bytes: 30 },
    ];
    const front = datasetCard({ ...facts, files }).split("\n---\n")[0] ?? "";
    expect(front).toContain("- config_name: trl\n  default: true\n");
    expect(front).toContain("- config_name: messages\n  data_files:\n");
    expect(front).not.toContain("trl/test.parquet");
  });
  it("tells counts, reasons, policies and what was done about personal data", () => {
    expect(card).toContain("40 samples from 40 of 60 calls");
    expect(card).toContain("| roles | role:x | 15 |");
    expect(card).toContain("| max-tokens | 2,048 |");
    expect(card).toContain("**Nothing was redacted.**");
    expect(card).toContain("Replace `license: unknown`");
    const redacted = datasetCard({ ...facts, redacted: { phone: 12, email: 0 } });
    expect(redacted).toContain("| phone | 12 |\n| email | 0 |");
    expect(redacted).not.toContain("Nothing was redacted");
  });
  it("has the size category that Hugging Face knows", () => {
    const sizes = [0, 999, 1000, 99_999, 2_000_000, 5e7].map(
      (samples) => /- (n<1K|[0-9KM]+<n<[0-9KM]+)\n/.exec(datasetCard({ ...facts, samples }))?.[1],
    );
    expect(sizes).toEqual(["n<1K", "n<1K", "1K<n<10K", "10K<n<100K", "1M<n<10M", "10M<n<100M"]);
  });
  it("takes no markup from anybody", () => {
    const hostile = datasetCard(factsOf(HOSTILE).facts);
    expect(hostile).not.toMatch(/<script|<img|\*\*x\*\*/);
    expect(hostile.isWellFormed()).toBe(true);
    // Every row of a table has as many cells as its head.
    for (const table of hostile.match(/(?:^\|.*\n)+/gm) ?? [])
      expect(
        new Set(
          table
            .trimEnd()
            .split("\n")
            .map((line) => line.split("|").length),
        ).size,
      ).toBe(1);
  });
});
