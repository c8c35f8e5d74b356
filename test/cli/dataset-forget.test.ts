import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const stored = async (calls = 60) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const ids = [...cloud.ids()];
  expect((await place.runHere(["pull", "-i", "-"], { input: ids.join("\n") })).code).toBe(0);
  return { place, cloud, ids };
};

interface Line {
  preset: string;
  split: string;
  file: string;
  row: number;
  sha256: string;
  conversation: string;
  id: string;
}
const provenance = (place: Workplace, folder: string): Line[] => place.rows<never>(folder, "provenance.ndjson");

const same = (place: Workplace, one: string, other: string): void => {
  execFileSync("diff", ["-r", one, other], { cwd: place.folder });
};

/** A set that is made without some calls, and one from which they are removed. */
const both = async (flags: readonly string[], gone = 5) => {
  const { place, ids } = await stored();
  // Copies of a call that is gone stay out, so they would be a difference.
  const make = ["dataset", "--dedupe", "none", ...flags];
  await place.runHere([...make, "-o", "whole"]);
  const kept = [...new Set(provenance(place, "whole").map(({ conversation }) => conversation))];
  const forgotten = kept.filter((_, at) => at % Math.floor(kept.length / gone) === 0);
  const others = ids.filter((id) => !forgotten.includes(id));
  await place.runHere([...make, "-i", "-", "-o", "without"], { input: others.join("\n") });
  cpSync(place.path("whole"), place.path("set"), { recursive: true });
  const ran = await place.run(["dataset", "forget", ...forgotten, "set"]);
  return { place, forgotten, others, ran };
};

describe("dataset forget", () => {
  test.each<[string, string[]]>([
    ["one preset", []],
    ["several presets, a row per turn, shuffled", ["--preset", "messages,trl,llama-factory,axolotl", "--shuffle"]],
    ["samples of turns", ["--preset", "ms-swift", "--expand", "turn", "--system", "none"]],
    ["compressed files", ["--gzip"]],
    ["Parquet", ["--parquet", "--preset", "messages,trl,openai", "--interrupted", "mask"]],
    ["redacted texts", ["--redact", "all"]],
  ])("leaves a set as if the calls had never been there: %s", async (_, flags) => {
    const { place, forgotten, ran } = await both(flags);
    expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
    expect(ran.stdout.split("\n").length - 1).toBe(
      provenance(place, "whole").filter(({ conversation }) => forgotten.includes(conversation)).length,
    );
    const names = readdirSync(place.path("without"), { recursive: true }).map(String);
    expect(readdirSync(place.path("set"), { recursive: true }).map(String).toSorted()).toEqual(names.toSorted());
    for (const name of names.filter((each) => /\./.test(each) && !/manifest|html/.test(each)))
      expect([name, readFileSync(place.path("set", name)).equals(readFileSync(place.path("without", name)))]).toEqual([name, true]);
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
    for (const id of forgotten)
      for (const name of readdirSync(place.path("set"), { recursive: true }).map(String).filter((each) => /\./.test(each)))
        expect([name, readFileSync(place.path("set", name)).includes(id)]).toEqual([name, false]);
  });
});
