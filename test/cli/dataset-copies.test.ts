import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const stored = async (calls = 150) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const ids = [...cloud.ids()];
  expect((await place.runHere(["pull", "-i", "-"], { input: ids.join("\n") })).code).toBe(0);
  return { place, cloud, ids };
};

const linesOf = (place: Workplace, folder: string, split: string): string[] =>
  readdirSync(place.path(folder))
    .filter((name) => name.startsWith(split) && name.endsWith(".jsonl"))
    .flatMap((name) => place.read(folder, name).trim().split("\n"));

test.each([
  ["trl", ["--preset", "trl", "--system", "none", "--greeting", "drop"]], ["trl2", ["--preset", "trl", "--system", "none"]],
  ["ms-swift", ["--preset", "ms-swift", "--expand", "turn"]],
])("%s", async (_, args) => {
  const { place } = await stored(400);
  await place.runHere(["dataset", ...args, "--split", "train=0.9,validation=0.1", "-o", "set"]);
  const [train, validation] = [linesOf(place, "set", "train"), linesOf(place, "set", "validation")];
  const seen = new Set(train);
  console.log("train", train.length, "dup", train.length - seen.size, "val", validation.length, "in train", validation.filter((l) => seen.has(l)).length);
});
