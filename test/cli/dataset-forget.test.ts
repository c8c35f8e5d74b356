import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
    ["Parquet", ["--parquet", "--preset", "messages,trl,openai"]],
    ["masked turns", ["--preset", "openai,axolotl", "--interrupted", "mask", "--greeting", "mask"]],
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
      expect([name, readFileSync(place.path("set", name)).equals(readFileSync(place.path("without", name)))]).toEqual([
        name,
        true,
      ]);
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
    for (const id of forgotten)
      for (const name of readdirSync(place.path("set"), { recursive: true })
        .map(String)
        .filter((each) => /\./.test(each)))
        expect([name, readFileSync(place.path("set", name)).includes(id)]).toEqual([name, false]);
  });
});

describe("a data set that conversations are removed from", () => {
  const SOME = ["--preset", "messages,trl", "--max-file-size", "20KB", "--shuffle", "--split", "train=0.7,test=0.3"];
  const made = async (calls = 30) => {
    const { place, ids } = await stored(calls);
    expect((await place.runHere(["dataset", ...SOME, "-o", "set"])).code).toBe(0);
    const [first = "", second = ""] = new Set(provenance(place, "set").map(({ conversation }) => conversation));
    return { place, ids, first, second };
  };
  const linesOf = (place: Workplace, folder: string): Map<string, string[]> =>
    new Map(
      readdirSync(place.path(folder), { recursive: true })
        .map(String)
        .filter((name) => name.endsWith(".jsonl"))
        .map((name) => [name, place.read(folder, name).trimEnd().split("\n")]),
    );

  test("keeps the bytes and the order of all other rows, in their shards, and its provenance finds each", async () => {
    const { place, first, second } = await made();
    const before = linesOf(place, "set");
    const gone = new Set(
      provenance(place, "set").flatMap(({ conversation, file, row }) =>
        [first, second].includes(conversation) ? [`${file}:${row}`] : [],
      ),
    );
    const ran = await place.run(["dataset", "forget", first.toUpperCase(), second, "./set/"]);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("2 conversations with")]);
    expect(
      new Set(
        ran.stdout
          .trim()
          .split("\n")
          .map((line) => line.split("\t")[1]),
      ),
    ).toEqual(gone);
    const left = [...before].map(
      ([name, rows]) => [name, rows.filter((_, at) => !gone.has(`${name}:${at + 1}`))] as const,
    );
    expect(linesOf(place, "set")).toEqual(new Map(left.filter(([, rows]) => rows.length > 0)));
    for (const { file, row, sha256 } of provenance(place, "set")) {
      const line = linesOf(place, "set").get(file)?.[row - 1] ?? "";
      expect(createHash("sha256").update(line).digest("hex")).toBe(sha256);
    }
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
    expect((await place.runHere(["check", "set"])).code).toBe(0);
  });

  test("is not touched by --dry-run and by ids that it does not name; those end with exit 3", async () => {
    const { place, first } = await made(20);
    cpSync(place.path("set"), place.path("before"), { recursive: true });
    const tried = await place.run(["dataset", "forget", "-n", first, "set"]);
    expect([tried.code, tried.stdout.includes(first), tried.stderr]).toEqual([
      0,
      true,
      expect.stringContaining("would be removed"),
    ]);
    const missed = await place.run(["dataset", "forget", "nobody", "set"]);
    expect([missed.code, missed.stdout, missed.stderr]).toEqual([3, "", expect.stringContaining("nobody")]);
    same(place, "before", "set");
    // The others are removed all the same; a second time there is nothing left of them.
    expect((await place.run(["dataset", "forget", "nobody", first, "set"])).code).toBe(3);
    expect(place.read("set", "provenance.ndjson")).not.toContain(first);
    expect((await place.runHere(["dataset", "forget", first, "set"])).code).toBe(3);
    writeFileSync(
      place.path("ids.txt"),
      `${[...new Set(provenance(place, "set").map(({ conversation }) => conversation))].join("\n")}\n`,
    );
    expect((await place.runHere(["dataset", "forget", "-i", "ids.txt", "set"])).code).toBe(0);
    expect([place.read("set", "provenance.ndjson"), linesOf(place, "set").size]).toEqual(["", 0]);
    expect((await place.runHere(["verify", "set"])).code).toBe(0);
  });

  test("is refused if it is none, is incomplete, or was changed by hand", async () => {
    const { place, first } = await made(20);
    const refused = async (folder: string, message: string) => {
      const ran = await place.runHere(["dataset", "forget", first, folder]);
      expect([folder, ran.code, ran.stderr]).toEqual([folder, 2, expect.stringContaining(message)]);
    };
    await place.runHere(["export", "--offline", "-o", "out/"]);
    await refused("out", "is not a data set");
    await refused("nowhere", "is not a data set");
    for (const name of ["README.md", "provenance.ndjson", "trl/train-00000-of-00002.jsonl", "report.json"]) {
      cpSync(place.path("set"), place.path("changed"), { recursive: true, force: true });
      const file =
        readdirSync(place.path("changed"), { recursive: true })
          .map(String)
          .find((each) => each === name || (name.startsWith("trl") && each.startsWith("trl/train"))) ?? name;
      writeFileSync(place.path("changed", file), `${place.read("changed", file)}\n`);
      await refused("changed", "was changed after it was made");
    }
    const manifest = JSON.parse(place.read("set", "manifest.json"));
    writeFileSync(place.path("set", "manifest.json"), JSON.stringify({ ...manifest, incomplete: true }));
    await refused("set", "is not complete");
    for (const args of [["forget"], ["forget", "set"], ["forget", first, "set", "--shuffle"], ["--dry-run"]])
      expect([args, (await place.runHere(["dataset", ...args])).code]).toEqual([args, 2]);
  });

  test("is the old one or the new one after a kill, or is completed by the same command", async () => {
    const { place, first, second } = await made(20);
    cpSync(place.path("set"), place.path("old"), { recursive: true });
    cpSync(place.path("set"), place.path("new"), { recursive: true });
    const args = (folder: string) => ["dataset", "forget", first, second, folder];
    await place.run(args("new"), { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n");
    expect(points.length).toBeGreaterThan(10);
    const seen = new Set<string>();
    for (let at = 1; at <= points.length; at += SOAK ? 1 : 5) {
      execFileSync("rm", ["-rf", "set"], { cwd: place.folder });
      cpSync(place.path("old"), place.path("set"), { recursive: true });
      expect((await place.run(args("set"), { env: faulty({ FAULTY_AT: String(at) }) })).code).toBe(null);
      const { incomplete } = JSON.parse(place.read("set", "manifest.json"));
      const ran = await place.runHere(args("set"));
      // What is complete already has nothing left to remove.
      expect([at, points[at - 1], [0, 3].includes(ran.code ?? -1), ran.stderr]).toEqual([
        at,
        points[at - 1],
        true,
        ran.stderr,
      ]);
      seen.add(incomplete ? "completed" : ran.code === 0 ? "old" : "new");
      same(place, "set", "new");
    }
    expect(seen.has("old")).toBe(true);
    expect(seen.has("completed")).toBe(true);
  }, 600_000);
});

describe("forget", () => {
  test("names the rows of data sets that the archive has made", async () => {
    const { place } = await stored(20);
    await place.runHere(["dataset", "--preset", "messages,trl", "--shuffle", "-o", "set"]);
    await place.runHere(["dataset", "-o", "other"]);
    execFileSync("rm", ["-rf", "other"], { cwd: place.folder });
    const [line] = provenance(place, "set");
    const id = line?.conversation ?? "";
    const rows = provenance(place, "set").filter(({ conversation }) => conversation === id);
    const expected = rows.map(({ file, row }) => `${id}\tdataset\t${place.path("set", file)}:${row}`);
    const tried = await place.run(["forget", "-n", id]);
    expect([tried.code, tried.stdout.trim().split("\n")]).toEqual([0, expected]);
    const ran = await place.run(["forget", id]);
    expect([ran.code, ran.stdout.trim().split("\n"), ran.stderr]).toEqual([
      0,
      expected,
      expect.stringContaining("dataset forget ID"),
    ]);
    expect((await place.runHere(["dataset", "forget", id, "set"])).code).toBe(0);
    expect((await place.runHere(["forget", id])).stdout).toBe("");
  });
});
