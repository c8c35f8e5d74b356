import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { presetPlan } from "../../src/app/dataset/plan.ts";
import { createRowMaker } from "../../src/app/dataset/rows.ts";
import type { JsonObject, Transcript } from "../../src/core/transcript.ts";
import { checkFile } from "../../src/presets/checks/check-file.ts";
import { conflicts, type Preset, type PresetOptions } from "../../src/presets/index.ts";
import { needsOf, type Policy } from "../../src/transforms/curate/curate.ts";
import { SOAK } from "../helpers/soak.ts";
import { anyCall } from "../presets/calls.ts";

export type Reader = (row: JsonObject, loss: boolean) => string[];

const REFUSALS =
  /^(tool-calls|greeting-first|empty-user|nothing-to-learn|tool-call-with-text|parallel-tool-results|tool-arguments-not-json)$/;

export interface Made {
  lines: string[];
  refused: string[];
  dropped: string[];
}

/** Rows of calls, made by the dataset command's own pipeline. */
export const rowsOf = (
  preset: Preset,
  calls: readonly Transcript[],
  policy: Policy,
  options: Pick<PresetOptions, "parts" | "think"> = {},
): Made => {
  const made: Made = { lines: [], refused: [], dropped: [] };
  const make = createRowMaker({
    wanted: [presetPlan(preset, policy, options)],
    policy,
    languages: undefined,
    status: undefined,
    dedupe: "none",
    dedupeThreshold: undefined,
    exclusions: undefined,
    splits: [{ name: "train", share: 1 }],
    splitOf: () => "train",
    withinBudget: undefined,
  });
  for (const transcript of calls) {
    const call = make({ transcript });
    if ("reason" in call) {
      made.dropped.push(call.reason);
      continue;
    }
    for (const row of call.rows()) {
      if (row.refusal === undefined) made.lines.push(row.line);
      else made.refused.push(row.refusal);
    }
  }
  return made;
};

const lossOf = (preset: Preset, policy: Policy): boolean => preset.can.loss !== undefined && needsOf(policy).loss;

/** Errors that the preset's own rules find in these lines. */
export const errorsIn = (preset: Preset, lines: readonly string[]): string[] => {
  const check = checkFile(() => preset);
  const found = lines.flatMap((line) => check.line(Buffer.from(line.slice(0, -1))));
  return found
    .filter(({ severity }) => severity === "error")
    .map(({ rule, line, detail }) => `${line} ${rule} ${detail}`);
};

/** What every preset promises. `read` is a reader that shares nothing with it, `calls` real ones to be read. */
export const presetContract = (preset: Preset, read: Reader, calls: () => Promise<readonly Transcript[]>): void => {
  const policies: [string, Policy][] = (
    [
      ["the defaults", {}],
      ["greetings dropped", { greeting: "drop", system: "none" }],
      ["a padded greeting", { greeting: "pad" }],
      ["a masked greeting and half answers", { greeting: "mask", interrupted: "mask" }],
      ["whole interrupted answers, without fillers", { interrupted: "keep", stripFillers: true }],
      ["a sample per agent turn", { expand: "turn" }],
    ] satisfies [string, Policy][]
  ).filter(([, policy]) => conflicts(preset, needsOf(policy)).length === 0);

  describe(`${preset.name} keeps the presets' contract`, () => {
    let real: readonly Transcript[] = [];
    beforeAll(async () => {
      real = await calls();
    });
    it.each(policies)("its reader takes every row of real calls, under %s", (_, policy) => {
      const { lines, refused } = rowsOf(preset, real, policy);
      expect(lines.length).toBeGreaterThan(real.length / 2);
      const loss = lossOf(preset, policy);
      for (const [index, line] of lines.entries()) expect([index, read(JSON.parse(line), loss)]).toEqual([index, []]);
      expect(errorsIn(preset, lines)).toEqual([]);
      expect(refused).toEqual([]);
    });
    it.each(policies)("its reader takes every row of any turns, under %s", (_, policy) => {
      const loss = lossOf(preset, policy);
      fc.assert(
        fc.property(fc.array(anyCall, { maxLength: 3 }), (calls) => {
          const before = structuredClone(calls);
          const { lines, refused } = rowsOf(preset, calls, policy);
          for (const line of lines) {
            expect(line.isWellFormed()).toBe(true);
            expect(read(JSON.parse(line), loss)).toEqual([]);
          }
          expect(errorsIn(preset, lines)).toEqual([]);
          for (const reason of refused) expect(reason).toMatch(REFUSALS);
          expect(rowsOf(preset, calls, policy).lines).toEqual(lines);
          expect(calls).toEqual(before);
        }),
        { numRuns: SOAK ? 300 : 100 },
      );
    });
    it("gives every row the same columns", () => {
      const { lines } = rowsOf(preset, real, {});
      expect(new Set(lines.map((line) => Object.keys(JSON.parse(line)).join()))).toHaveLength(1);
    });
  });
};
