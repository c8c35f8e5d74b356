import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { SOAK } from "./helpers/soak.ts";
import { workplace } from "./helpers/workplace.ts";

const exec = promisify(execFile);
const SCRIPT = new URL("bench/run.mjs", import.meta.url).pathname;

interface Result {
  facts: Record<string, unknown>;
  cases: Record<string, { ratios: { name: string; ratio: { median: number; min: number; max: number } }[] }>;
}

test.runIf(SOAK)("the benchmark runs, and gives its ratios as JSON", async () => {
  const json = join(workplace().folder, "bench.json");
  const args = [SCRIPT, "--quick", "--case", "start", "--case", "again", "--json", json];
  const { stdout } = await exec(process.execPath, args);
  expect(stdout).toContain("### again: second run");

  const { facts, cases }: Result = JSON.parse(readFileSync(json, "utf8"));
  expect(Object.keys(facts)).toEqual(["cpu", "cores", "memoryGb", "node", "os", "at"]);
  expect(Object.keys(cases)).toEqual(["start", "again"]);
  const ratios = Object.values(cases).flatMap((each) => each.ratios);
  expect(ratios.map(({ name }) => name)).toContain("us per known id");
  for (const { ratio } of ratios) {
    expect(ratio.median).toBeGreaterThanOrEqual(ratio.min);
    expect(ratio.max).toBeGreaterThanOrEqual(ratio.median);
  }
});

test("the benchmark says which cases there are", async () => {
  const refused = await exec(process.execPath, [SCRIPT, "--case", "nothing"]).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("start, pull, export, dataset, again, scale, quota"),
  });
});
