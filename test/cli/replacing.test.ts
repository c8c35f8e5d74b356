import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { parseLines, type Workplace, workplace } from "../helpers/workplace.ts";

/** A workplace whose archive holds some calls; their ids in the order of the export. */
const stored = async (calls: number) => {
  const place = workplace();
  const cloud = await place.cloud({ calls, agents: 1 });
  expect((await place.runHere(["pull", ...cloud.ids()])).code).toBe(0);
  const ids = parseLines<{ id: string }>((await place.runHere(["export", "--offline"])).stdout).map(({ id }) => id);
  const run = (...args: string[]) => place.runHere(["export", "--offline", ...args]);
  return { place, ids, run };
};

/** Names and contents of all files in a folder. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "base64")]),
  );

const names = (place: Workplace, ...folder: string[]): string[] => Object.keys(contents(place.path(...folder)));

describe("a folder that is written again", () => {
  test("has no files of the older run, and keeps files of others", async () => {
    const { place, ids, run } = await stored(4);
    await run("-f", "ndjson,csv,messages,raw", "-o", "out/");
    writeFileSync(place.path("out", "notes.txt"), "mine");
    mkdirSync(place.path("out", "raw", "sub"));
    writeFileSync(place.path("out", "raw", "readme.md"), "mine");
    expect((await run(...ids.slice(0, 2), "-f", "raw,csv", "-o", "out")).code).toBe(0);
    expect(names(place, "out")).toEqual(
      [
        "manifest.json",
        "notes.txt",
        `raw/SHA256SUMS`,
        ...ids
          .slice(0, 2)
          .sort()
          .map((id) => `raw/${id}.json`),
        "raw/readme.md",
        "transcripts.csv",
      ].sort(),
    );
    expect((await place.runHere(["verify", "out"])).code).toBe(0);
    await run("-o", "out");
    expect(names(place, "out")).toEqual(["manifest.json", "notes.txt", "raw/readme.md", "transcripts.ndjson"]);
  });

  test("killed at every point: the same command gives the same files as an uninterrupted run", async () => {
    const { place, ids, run } = await stored(4);
    expect((await run("-f", "ndjson,raw", "-o", "old/")).code).toBe(0);
    writeFileSync(place.path("old", "raw", "mine.json"), "{}");
    const old = contents(place.path("old"));
    const again = (): void => {
      rmSync(place.path("out"), { recursive: true, force: true });
      cpSync(place.path("old"), place.path("out"), { recursive: true });
    };
    // --force: the stranger's document could be in the way.
    const args = ["export", "--offline", ...ids.slice(0, 2), "-f", "csv,raw", "-o", "out/", "--force"];
    again();
    expect((await place.run(args, { env: faulty({ FAULTY_LOG: place.path("points") }) })).code).toBe(0);
    const whole = contents(place.path("out"));
    const points = place.read("points").trim().split("\n");
    expect(points.filter((name) => name === "unlink")).toHaveLength(3);
    const seen = new Set<string>();
    for (let at = 1; at <= points.length; at += 1) {
      // In the usual suite, the exchange of old and new files, the end, and every fourth of the other points.
      if (!SOAK && points[at - 1] !== "unlink" && at % 4 !== 0 && at < points.length - 2) continue;
      again();
      const how = at % 2 === 0 ? "kill" : "kill-after";
      const where = `${how} ${at} of ${points.length}, ${points[at - 1]}`;
      const killed = await place.run(args, { env: faulty({ FAULTY_AT: String(at), FAULTY_HOW: how }) });
      const left = contents(place.path("out"));
      const manifest = JSON.parse(place.read("out", "manifest.json"));
      const state = manifest.incomplete ? "between" : left["manifest.json"] === old["manifest.json"] ? "old" : "new";
      seen.add(state);
      // What is said to be complete is complete.
      const said = state === "old" ? old : state === "new" ? whole : {};
      expect({ where, code: killed.code, left }).toEqual({ where, code: null, left: { ...left, ...said } });
      const ran = await place.runHere(args);
      expect({ where, code: ran.code, contents: contents(place.path("out")) }).toEqual({
        where,
        code: 0,
        contents: whole,
      });
    }
    expect(seen).toEqual(new Set(["old", "between", "new"]));
  }, 240_000);

  test("after a killed run, a run with another selection leaves only its own files", async () => {
    const { place, ids, run } = await stored(4);
    await run(...ids.slice(0, 3), "-f", "ndjson,raw", "-o", "out/");
    const second = ["export", "--offline", ...ids.slice(1), "-f", "messages,raw", "-o", "out/"];
    await place.run(second, { env: faulty({ FAULTY_LOG: place.path("points") }) });
    // The last but two: the new files are there, the old ones too, and the manifest is not written.
    const at = place.read("points").trim().split("\n").indexOf("unlink");
    await run(...ids.slice(0, 3), "-f", "ndjson,raw", "-o", "out/");
    const killed = await place.run(second, { env: faulty({ FAULTY_AT: String(at + 1) }) });
    expect((await place.runHere(["verify", "out"])).stdout).toContain("is not complete");
    expect([killed.code, names(place, "out").filter((name) => /^(messages|transcripts)/.test(name)).length]).toEqual([
      null,
      3,
    ]);
    await run(ids[0] ?? "", "-f", "csv", "-o", "out/", "--no-clobber");
    expect(names(place, "out")).toEqual(["manifest.json", "transcripts.csv"]);
  });

  test("a manifest deletes only outputs: nothing outside the folder, and nothing behind a link", async () => {
    const { place, run } = await stored(1);
    mkdirSync(place.path("out"));
    mkdirSync(place.path("far"));
    const bait = ["victim.txt", "out/thesis.txt", "far/a.json", "far/SHA256SUMS", "out/transcripts-x.csv"];
    for (const name of bait) writeFileSync(place.path(name), "x");
    symlinkSync("../far", place.path("out", "raw"));
    symlinkSync("../victim.txt", place.path("out", "transcripts.csv"));
    const files = [
      "../victim.txt",
      place.path("victim.txt"),
      "raw/../../victim.txt",
      "thesis.txt",
      "raw/a.json",
      "transcripts-x.csv",
    ];
    for (const extra of [{}, { incomplete: true }]) {
      const named = [...files, "raw/SHA256SUMS", "transcripts.csv", "transcripts.ndjson", 7].map((name) => ({
        name,
        rows: 0,
        bytes: 1,
        sha256: "",
      }));
      writeFileSync(
        place.path("out", "manifest.json"),
        JSON.stringify({ tool: "callarchive 0.1.0", files: named, ...extra }),
      );
      expect((await run("-o", "out/")).code).toBe(0);
      expect(bait.filter((name) => !existsSync(place.path(name)))).toEqual([]);
    }
  });
});

describe("what would be lost", () => {
  test("a file of another program is not replaced by any format; --force replaces it; an empty file may be replaced", async () => {
    const { place, ids, run } = await stored(2);
    const cases: [string, string[]][] = [
      ["a.csv", ["-o", "a.csv"]],
      ["b.csv.manifest.json", ["-o", "b.csv"]],
      ["c.jsonl.report.ndjson", ["-o", "c.jsonl"]],
      ["out/transcripts.ndjson", ["-o", "out/"]],
      ["set/manifest.json", ["-o", "set/"]],
      ["docs/raw/x.json", ["-f", "raw", "-o", "docs/"]],
      ["docs2/raw/SHA256SUMS", ["-f", "raw", "-o", "docs2/"]],
      ["parts/manifest.json", ["--new", "-o", "parts/"]],
    ];
    for (const [name, args] of cases) {
      if (name.includes("/")) mkdirSync(place.path(name, ".."), { recursive: true });
      writeFileSync(place.path(name), '{"theirs":true}');
      const refused = await run(...args);
      expect({ name, code: refused.code, stderr: refused.stderr }).toEqual({
        name,
        code: 2,
        stderr: expect.stringMatching(/no manifest of callarchive names it|cannot be read as a manifest/),
      });
      expect(place.read(name)).toBe('{"theirs":true}');
    }
    expect((await run("-o", "a.csv", "--force")).code).toBe(0);
    expect((await run("-o", "a.csv")).code).toBe(0);
    writeFileSync(place.path("empty.csv"), "");
    expect((await run("-o", "empty.csv")).code).toBe(0);
    // A stranger's document that is not in the way is kept even then, and never becomes ours.
    expect((await run(...ids, "-f", "raw", "-o", "docs/", "--force")).code).toBe(0);
    expect((await run("-o", "docs/")).code).toBe(0);
    expect(names(place, "docs")).toEqual(["manifest.json", "raw/x.json", "transcripts.ndjson"]);
  });

  test("--no-clobber replaces nothing; parts and data sets are never replaced by a plain export", async () => {
    const { place, run } = await stored(2);
    expect((await run("-o", "a.csv", "--no-clobber")).code).toBe(0);
    const before = contents(place.folder);
    for (const args of [
      ["-o", "a.csv"],
      ["-f", "ndjson", "-o", "a.csv/"],
    ])
      void args;
    const twice = await run("-o", "a.csv", "--no-clobber");
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining("--no-clobber replaces nothing")]);
    expect(contents(place.folder)["a.csv"]).toBe(before["a.csv"]);
    await run("--new", "-o", "parts/");
    // Another archive does not know these parts; their manifest does.
    const parts = await place.run(["export", "nobody", "-o", "parts/", "--archive", "other.db", "--force"]);
    expect([parts.code, parts.stderr]).toEqual([2, expect.stringContaining("holds parts that --new wrote")]);
    await place.runHere(["dataset", "-o", "set"]);
    expect((await run("-o", "set")).code).toBe(2);
    expect((await place.runHere(["verify", "parts", "set"])).code).toBe(0);
  });

  test("a part never replaces a file of another program", async () => {
    const { place, run } = await stored(2);
    mkdirSync(place.path("parts"));
    writeFileSync(place.path("parts", "transcripts-00001.ndjson"), "theirs");
    const refused = await run("--new", "-o", "parts/");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("transcripts-00001.ndjson is there")]);
    expect(place.read("parts", "transcripts-00001.ndjson")).toBe("theirs");
  });

  test("a selection that is much smaller than the one it replaces causes a warning", async () => {
    const { ids, run } = await stored(24);
    await run("-o", "out.ndjson");
    expect((await run(...ids.slice(0, 12), "-o", "out.ndjson")).stderr).not.toContain("had");
    await run("-o", "out.ndjson");
    const fewer = await run(...ids.slice(0, 3), "-o", "out.ndjson");
    expect([fewer.code, fewer.stderr]).toEqual([
      0,
      expect.stringContaining("out.ndjson had 24 conversations; this run replaces them with 3"),
    ]);
  });
});

describe("unfinished files of runs that were killed", () => {
  test("are removed if their names match exactly; similar names stay", async () => {
    const { place, run } = await stored(1);
    // A process that is no more.
    const pid = Number(execFileSync("sh", ["-c", "echo $$"]).toString());
    const host = hostname().replace(/[^\w-]/g, "_");
    const ours = `${host}.${pid}.0123456789ab.part`;
    const strangers = [
      `holiday.${ours}`,
      `transcripts.csv.${host}.${pid}.disk1.part`,
      `archive.2024.1.tar.part`,
      `transcripts.csv.bak.${ours}`,
    ];
    const dead = [
      `transcripts.csv.${ours}`,
      `manifest.json.${ours}`,
      `transcripts-00002.csv.${ours}`,
      `.callarchive.${ours}`,
    ];
    const places = { out: ["-f", "csv", "-o", "out/"], set: [], "set/trl": [] };
    for (const folder of Object.keys(places)) mkdirSync(place.path(folder), { recursive: true });
    for (const name of [...strangers, ...dead]) writeFileSync(place.path("out", name), "x");
    expect((await run("-f", "csv", "-o", "out/")).code).toBe(0);
    expect(names(place, "out")).toEqual([...strangers, "manifest.json", "transcripts.csv"].sort());

    await place.runHere(["dataset", "-o", "set"]);
    for (const name of [`holiday.${ours}`, `train.0.jsonl.${ours}`, `trl/.spool-00000000.${ours}`, `trl/x.${ours}`])
      writeFileSync(place.path("set", name), "x");
    expect((await place.run(["dataset", "-o", "set"])).code).toBe(0);
    expect(names(place, "set").filter((name) => name.endsWith(".part"))).toEqual([`holiday.${ours}`, `trl/x.${ours}`]);

    const errors = [`errors.ndjson.${ours}`, `other.ndjson.${ours}`];
    for (const name of errors) writeFileSync(place.path(name), "x");
    await place.runHere(["pull", "nobody", "--error-file", "errors.ndjson"]);
    expect(errors.map((name) => existsSync(place.path(name)))).toEqual([false, true]);
  });
});

describe("a data set", () => {
  test("replaces no file of another program, follows no link, and needs its own folder", async () => {
    const { place } = await stored(6);
    const set = (...args: string[]) => place.runHere(["dataset", ...args]);
    await set("--split", "train=1", "-o", "set");
    writeFileSync(place.path("set", "test.jsonl"), "theirs");
    const refused = await set("--split", "test=1", "-o", "set");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("holds test.jsonl, which no data set")]);
    expect([place.read("set", "test.jsonl"), existsSync(place.path("set", "train.jsonl"))]).toEqual(["theirs", true]);
    // A manifest that was tampered with.
    const manifest = JSON.parse(place.read("set", "manifest.json"));
    for (const name of ["../victim.jsonl", "thesis.txt", "trl/x.jsonl", "./train.jsonl"]) manifest.files.push({ name });
    writeFileSync(place.path("set", "manifest.json"), JSON.stringify(manifest));
    for (const name of ["victim.jsonl", "set/thesis.txt", "x.jsonl"]) writeFileSync(place.path(name), "x");
    symlinkSync("..", place.path("set", "trl"));
    expect((await set("--split", "train=1", "-o", "set")).code).toBe(0);
    for (const name of ["victim.jsonl", "set/thesis.txt", "x.jsonl", "set/train.jsonl"])
      expect([name, existsSync(place.path(name))]).toEqual([name, true]);
    for (const output of ["oss://bucket/set", "victim.jsonl", "/dev/null", "/dev/stdout"]) {
      const ran = await place.run(["dataset", "-o", output]);
      expect([output, ran.code, ran.stdout]).toEqual([output, 2, ""]);
    }
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});
