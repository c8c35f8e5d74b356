import { readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { workplace } from "../helpers/workplace.ts";

const KNOWN = "A file ends in .ndjson (ndjson), .csv (csv), .jsonl (messages), .json (raw)";

test.each([
  [["-o", "calls.csv.gz"], "there is no output as .gz", KNOWN],
  [["-o", "calls.xlsx"], "there is no output as .xlsx", KNOWN],
  [["-f", "csv", "-o", "calls.parquet"], "there is no output as .parquet", KNOWN],
  [["-o", "oss://bucket/calls.csv"], "this version writes to no address"],
  [["-f", "ndjson,csv", "-o", "calls.csv"], "Several formats need a folder: -o calls/"],
  [["-f", "csv", "-o", "calls.ndjson"], "is a name for ndjson, and -f says csv"],
  [["-o", "calls.txt"], ".txt says no format", KNOWN],
  [["-o", "2025.08"], "a folder is written 2025.08/"],
  [["-o", "calls"], "is it a file or a folder?", "a folder is written calls/"],
  [["-f", "csv", "-o", "calls"], "is it a file or a folder?"],
  [["-o", "there"], "a file without an ending says no format"],
  [["-o", "there/"], "there/ is a file, not a folder"],
  [["--force", "--no-clobber", "-o", "calls.csv"], "cannot be used with"],
])("exit 2, and nothing is fetched or written: %j", async (args, ...messages) => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 1 });
  writeFileSync(place.path("there"), "x");
  const ran = await place.runHere(["export", ...cloud.ids(), ...args]);
  for (const message of messages) expect(ran.stderr).toContain(message);
  expect([ran.code, cloud.stats.requests, readdirSync(place.folder)]).toEqual([2, {}, ["there"]]);
});

test("with one -f any other ending is allowed; known endings ignore case", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 1 });
  expect((await place.run(["export", ...cloud.ids(), "-f", "csv", "-o", "calls.txt"])).code).toBe(0);
  expect((await place.run(["export", "--offline", "-o", "calls.CSV"])).code).toBe(0);
  expect(place.read("calls.txt")).toBe(place.read("calls.CSV"));
});
