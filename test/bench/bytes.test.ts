import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

// What is made faster must not write anything else: these hashes change only when a format is meant to change.

const AGAIN = "https://logs.oss-cn-shanghai.aliyuncs.com";

/** A hash per file; all raw documents as one. Links name the emulator's port, which is another one each time. */
const hashes = (place: Workplace, folder: string, origin: string): Record<string, string> => {
  const sums: Record<string, ReturnType<typeof createHash>> = {};
  for (const name of readdirSync(place.path(folder), { recursive: true }).map(String).sort()) {
    if (!/\.\w+$/.test(name) || name.endsWith("manifest.json")) continue;
    const group = name.startsWith("raw/") ? "raw/*" : name;
    const text = readFileSync(place.path(folder, name), "utf8").replaceAll(origin, AGAIN);
    sums[group] ??= createHash("sha256");
    sums[group].update(`${name}\n`).update(text);
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum.digest("hex")]));
};

test("a faster version writes the same bytes", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 300, seed: 20_251_120 });
  const range = cloud.agents
    .flatMap((agent) => ["--agent", agent])
    .concat("--since", "2025-07-14", "--until", "2025-07-21");
  const run = async (args: string[]): Promise<void> => {
    const { code, stderr } = await place.run(["export", "-q", ...args]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  };
  const input = [...cloud.ids()].join("\n");
  const byId = await place.run(["pull", "-q", "--archive", "ids.db", "-i", "-"], { input });
  expect(byId.code).toBe(0);
  await run(["--archive", "ids.db", "--offline", "-f", "ndjson,csv,messages,raw", "-o", "ids/"]);
  await run(["--archive", "ids.db", "--offline", "--rows", "turn", "-o", "ids/turns.ndjson"]);
  await run(["--archive", "range.db", ...range, "-f", "ndjson,csv,messages,raw", "-o", "range/"]);

  const found = { ids: hashes(place, "ids", cloud.url), range: hashes(place, "range", cloud.url) };
  expect(Object.keys(found.ids)).toHaveLength(6);
  const golden = new URL("bytes.json", import.meta.url).pathname;
  await expect(`${JSON.stringify(found, undefined, 2)}\n`).toMatchFileSnapshot(golden);
});
