import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Ran, type Workplace, workplace } from "../helpers/workplace.ts";

interface PartOf {
  part: number;
  token?: string;
  files: string[];
}
interface ManifestOf {
  schema?: number;
  archive?: string;
  parts: PartOf[];
  files: { name: string; sha256: string }[];
}

/** A workplace whose archive holds some calls, without a cloud. */
const stored = async (calls = 6) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const all = [...cloud.ids()];
  expect((await place.runHere(["pull", ...all])).code).toBe(0);
  /** `--new` of these calls into a folder. */
  const add = (folder: string, count: number, ...flags: string[]): Promise<Ran> =>
    place.runHere(["export", "--offline", ...all.slice(0, count), "--new", "-o", folder, ...flags]);
  return { place, cloud, all, add };
};

const manifest = (place: Workplace, folder: string): ManifestOf =>
  JSON.parse(place.read(folder, "manifest.json")) as ManifestOf;

/** Calls in each part of a folder. */
const rows = (place: Workplace, folder: string): number[] =>
  readdirSync(place.path(folder))
    .filter((name) => /^transcripts-\d+\.ndjson$/.test(name))
    .sort()
    .map((name) => place.rows(folder, name).length);

const copyArchive = (place: Workplace, to: string): void => {
  const db = new Database(place.path("callarchive.db"));
  db.exec(`vacuum into '${place.path(to)}'`);
  db.close();
};

const refusal = (text: string) => [2, expect.stringContaining(text)];

describe("a folder of --new identifies its archive", () => {
  test("by id, and each part by a token of id, number and files; verify checks them and reports another archive", async () => {
    const { place, add } = await stored();
    await add("parts/", 2);
    await add("parts/", 6, "-f", "ndjson,csv");
    const { archive = "", parts, files } = manifest(place, "parts");
    expect(archive).toMatch(/^[0-9a-f]{32}$/);
    for (const { part, token, files: names } of parts) {
      const pairs = names.map((name) => [name, files.find((file) => file.name === name)?.sha256]);
      const text = JSON.stringify([archive, part, pairs]);
      expect(token).toBe(createHash("sha256").update(text).digest("hex"));
    }
    expect(parts.map(({ part }) => part)).toEqual([1, 2]);
    copyArchive(place, "other.db");
    const other = new Database(place.path("other.db"));
    other.exec("update facts set value = 'another' where name = 'id'");
    other.close();
    const verified = await place.runHere(["verify", "parts", "--archive", "other.db"]);
    expect([verified.code, verified.stderr]).toEqual([0, expect.stringContaining("belongs to another archive")]);
    const text = place.read("parts", "manifest.json");
    writeFileSync(place.path("parts", "manifest.json"), text.replace(parts[0]?.token ?? "", "0".repeat(64)));
    const wrong = await place.runHere(["verify", "parts"]);
    expect([wrong.code, wrong.stdout]).toEqual([
      3,
      "parts: the token of part 1 does not match the files of the part\n",
    ]);
    expect(wrong.stderr).not.toContain("another archive");
  });

  test("a plain export writes the id too, but not with --no-archive", async () => {
    const { place, all } = await stored(2);
    await place.runHere(["export", "--offline", "-o", "one/"]);
    await place.runHere(["export", ...all, "--no-archive", "-o", "two/"]);
    expect(manifest(place, "one").archive).toMatch(/^[0-9a-f]{32}$/);
    expect(place.read("two", "manifest.json")).not.toContain('archive"');
    expect(place.read("two", "transcripts.ndjson")).toBe(place.read("one", "transcripts.ndjson"));
  });
});

describe("--new continues", () => {
  test("in a folder that was moved, copied, or is behind a link, and logs its earlier place", async () => {
    const { place, add } = await stored();
    mkdirSync(place.path("real"));
    symlinkSync(place.path("real"), place.path("link"));
    // The first run makes the folder: its place is the one behind the link all the same.
    await add("link/parts/", 1);
    expect((await add("real/parts/", 2)).stderr).not.toContain("was at");
    await add("./link/../link/parts", 3);
    expect(rows(place, "real/parts")).toEqual([1, 1, 1]);

    renameSync(place.path("real", "parts"), place.path("moved"));
    const moved = await add("moved/", 4);
    expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining(`was at ${place.path("real", "parts")}`)]);
    expect(rows(place, "moved")).toEqual([1, 1, 1, 1]);
    expect((await add("moved/", 4)).stderr).not.toContain("was at");

    cpSync(place.path("moved"), place.path("copy"), { recursive: true });
    await add("copy/", 5);
    await add("moved/", 6);
    expect([rows(place, "copy"), rows(place, "moved")]).toEqual([
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 2],
    ]);
    for (const folder of ["moved", "copy"]) expect((await place.runHere(["verify", folder])).code).toBe(0);
  });

  test("after a plain export that was moved, and if parts were removed but the manifest is there", async () => {
    const { place, all, add } = await stored();
    await place.runHere(["export", "--offline", ...all.slice(0, 2), "-o", "plain/"]);
    renameSync(place.path("plain"), place.path("parts"));
    expect((await add("parts/", 3)).stderr).toContain("was at");
    rmSync(place.path("parts", "transcripts-00001.ndjson"));
    expect((await add("parts/", 5)).code).toBe(0);
    expect(place.rows("parts", "transcripts-00002.ndjson")).toHaveLength(2);
  });

  test("after plain exports of two formats in turn: only the last one counts as written to the folder", async () => {
    const { place, add } = await stored(3);
    for (const format of ["ndjson", "csv"]) await place.runHere(["export", "--offline", "-f", format, "-o", "parts/"]);
    expect((await add("parts/", 3, "-f", "csv")).stderr).toContain("--new 3");
    expect((await add("parts/", 3, "-f", "ndjson")).stderr).toContain("3 exported");
  });

  test("in the output of an older version, and adds id and tokens", async () => {
    const { place, add } = await stored();
    await add("parts/", 2);
    await add("parts/", 4);
    const { archive, parts, files, ...rest } = manifest(place, "parts");
    const old = { ...rest, parts: parts.map(({ token: _, ...part }) => part), files };
    writeFileSync(place.path("parts", "manifest.json"), JSON.stringify(old));
    const db = new Database(place.path("callarchive.db"));
    db.exec("update parts set token = null");
    db.close();
    // Also a run that has nothing to write; and one that is killed before the manifest has them.
    const killed = await place.run(["export", "--offline", "--limit", "1", "--new", "-o", "parts/"], {
      env: faulty({ FAULTY_AT: "5", FAULTY_LOG: place.path("points") }),
    });
    expect([killed.code, manifest(place, "parts").archive]).toEqual([null, undefined]);
    expect((await add("parts/", 4)).code).toBe(0);
    expect(manifest(place, "parts")).toMatchObject({ archive, parts });
    expect((await add("parts/", 6)).code).toBe(0);
    expect(rows(place, "parts")).toEqual([2, 2, 2]);
  });

  test("in the output of an older version with transcripts of schema 1: they stay, and the new part is of schema 2", async () => {
    const { place, all, add } = await stored();
    await add("parts/", 2);
    const { archive: _, schema, parts, files, ...rest } = manifest(place, "parts");
    expect(schema).toBe(2);
    const [{ name } = { name: "" }] = files;
    const lines = place.rows<{ provenance: { records: { source: string }[] } }>("parts", name).map((line) => {
      const [{ source: _, ...record } = {}] = line.provenance.records;
      return `${JSON.stringify({ ...line, provenance: record })}\n`;
    });
    const older = lines.join("");
    writeFileSync(place.path("parts", name), older);
    const facts = { bytes: Buffer.byteLength(older), sha256: createHash("sha256").update(older).digest("hex") };
    const old = {
      ...rest,
      parts: parts.map(({ token: _, ...part }) => part),
      files: files.map((file) => ({ ...file, ...facts })),
    };
    writeFileSync(place.path("parts", "manifest.json"), JSON.stringify(old));
    const db = new Database(place.path("callarchive.db"));
    db.exec("update parts set token = null");
    db.close();

    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
    expect((await add("parts/", 2)).stderr).toContain("--new 2");
    expect(manifest(place, "parts")).not.toHaveProperty("schema");
    expect((await add("parts/", 4)).stderr).toContain("2 exported");
    expect(Object.entries(manifest(place, "parts"))[1]).toEqual(["schema", 2]);
    expect(place.read("parts", name)).toBe(older);
    expect(place.rows("parts", "transcripts-00002.ndjson")).toHaveLength(2);
    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
    // Another archive reads from the files of both what they have.
    await place.runHere(["pull", ...all, "--archive", "new.db"]);
    const adopting = ["export", "--offline", "--new", "--adopt", "--archive", "new.db", "-o", "parts/"];
    expect((await place.run(adopting)).stderr).toContain("already has 4 calls of this archive");
    expect(Object.entries(manifest(place, "parts"))[1]).toEqual(["schema", 2]);
  });

  test("not with parts of an older version that were exchanged", async () => {
    const { place, add } = await stored(2);
    await add("parts/", 2);
    const { archive: _, parts, ...rest } = manifest(place, "parts");
    const renumbered = { ...rest, parts: parts.map(({ token, ...part }) => ({ ...part, part: 2 })) };
    writeFileSync(place.path("parts", "manifest.json"), JSON.stringify(renumbered));
    const db = new Database(place.path("callarchive.db"));
    db.exec("update parts set token = null");
    db.close();
    const ran = await add("parts/", 2);
    expect([ran.code, ran.stderr]).toEqual(refusal("but part 2 of other content"));
  });
});

describe("--new refuses, before anything is fetched, and suggests what to do", () => {
  test("a folder that was emptied, restored from an older copy, or whose manifest is gone or damaged", async () => {
    const { place, cloud, all, add } = await stored();
    await add("parts/", 2);
    cpSync(place.path("parts"), place.path("older"), { recursive: true });
    await add("parts/", 4);
    cpSync(place.path("parts"), place.path("newest"), { recursive: true });
    const put = (from: string): void => {
      rmSync(place.path("parts"), { recursive: true });
      cpSync(place.path(from), place.path("parts"), { recursive: true });
    };

    put("older");
    const restored = await add("parts/", 6);
    expect([restored.code, restored.stderr]).toEqual(refusal("has written part 2 to"));
    expect(restored.stderr).toContain("the manifest there does not name it");
    for (const way of ["Put back what was there", "--adopt", "-o"]) expect(restored.stderr).toContain(way);
    const adopted = await add("parts/", 6, "--adopt");
    expect([adopted.code, adopted.stderr]).toEqual([0, expect.stringContaining("4 exported")]);
    expect(rows(place, "parts")).toEqual([2, 4]);

    rmSync(place.path("parts"), { recursive: true });
    const late = cloud.add({ id: "late" });
    const emptied = await place.run(["export", ...all, late, "--new", "-o", "parts/"]);
    expect([emptied.code, emptied.stderr]).toEqual(refusal("there is no manifest"));
    expect(emptied.stderr).toContain("parts 1, 2");
    expect((await place.runHere(["show", late])).code).not.toBe(0);
    expect(existsSync(place.path("parts", "transcripts-00001.ndjson"))).toBe(false);

    put("newest");
    rmSync(place.path("parts", "manifest.json"));
    expect((await add("parts/", 6)).stderr).toContain("there is no manifest");
    // The files that are left are not written over.
    const unnamed = await add("parts/", 6, "--adopt");
    expect([unnamed.code, unnamed.stderr]).toEqual(refusal("transcripts-00001.ndjson is there, but"));
    expect(rows(place, "parts")).toEqual([2, 2]);

    for (const text of [
      "{",
      "[]",
      '{"files":[{"name":"../x","rows":1,"bytes":1,"sha256":""}]}',
      '{"files":[],"parts":{}}',
    ])
      for (const flags of [[], ["--adopt"]]) {
        writeFileSync(place.path("parts", "manifest.json"), text);
        const ran = await add("parts/", 6, ...flags);
        expect([text, ran.code, ran.stderr]).toEqual([
          text,
          2,
          expect.stringContaining("cannot be read as a manifest"),
        ]);
        expect(place.read("parts", "manifest.json")).toBe(text);
      }
  });

  test("another archive's folder, until it is adopted; then the first archive is refused", async () => {
    const { place, all, add } = await stored();
    await add("parts/", 3);
    const theirs = ["--archive", "theirs.db"];
    await place.runHere(["pull", ...all.slice(2), ...theirs]);
    const run = (...flags: string[]) =>
      place.run(["export", "--offline", "--new", "-o", "parts/", ...theirs, ...flags]);
    const refused = await run();
    expect([refused.code, refused.stderr]).toEqual(refusal("belongs to another archive"));
    for (const way of ["--archive", "--adopt", "-o"]) expect(refused.stderr).toContain(way);
    const adopted = await run("--adopt");
    expect([adopted.code, adopted.stderr]).toEqual([0, expect.stringContaining("already has 1 call of this archive")]);
    expect(adopted.stderr).toContain("holds 2 calls that this archive does not have");
    expect(rows(place, "parts")).toEqual([3, 3]);
    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
    const first = await add("parts/", 6);
    expect([first.code, first.stderr]).toEqual(refusal("belongs to another archive"));
    expect((await run("--adopt")).stderr).not.toContain("according to its files");
    const plain = await place.run(["export", "--offline", "-o", "parts/"]);
    expect([plain.code, plain.stderr]).toEqual(refusal("holds parts that --new wrote"));
    // An erasure names the folder.
    const forgotten = await place.run(["forget", all[2] ?? "", ...theirs]);
    expect(forgotten.stdout).toContain(place.path("parts"));
  });

  test("--adopt without --new, or without an archive", async () => {
    const place = workplace();
    for (const [flags, text] of [
      [["--adopt", "-o", "x/"], "--adopt goes with --new"],
      [["--adopt", "--new", "--no-archive", "-o", "x/"], "--new needs an archive"],
    ] as const) {
      const ran = await place.runHere(["export", "x", ...flags]);
      expect([ran.code, ran.stderr]).toEqual(refusal(text));
    }
  });
});

describe("--adopt", () => {
  const FORMATS = ["-f", "ndjson,csv,messages,raw"];

  test("reads every format, in any letter case, with guarded cells and turns as rows, and counts no call twice", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4 });
    const odd = ["-dash1", "MiXed", "it's", "=1+1", "o%~.x"].map((id) => cloud.add({ id }));
    const all = [...cloud.ids()];
    expect(odd.every((id) => all.includes(id))).toBe(true);
    const input = all.join("\n");
    await place.runHere(["pull", "-i", "-"], { input });
    await place.runHere(["export", "--offline", "--limit", "3", "--new", "-o", "parts/", "--rows", "turn", ...FORMATS]);
    await place.runHere(["export", "--offline", "--limit", "7", "--new", "-o", "parts/", "--csv-bom", ...FORMATS]);
    await place.runHere(["pull", "-i", "-", "--archive", "new.db"], { input });
    const before = readdirSync(place.path("parts"), { recursive: true }).length;
    const adopting = ["export", "--offline", "--new", "--archive", "new.db", "-o", "parts/", "--adopt", ...FORMATS];
    const ran = await place.run(adopting);
    expect([ran.code, ran.stderr]).toEqual([
      0,
      expect.stringContaining("already has 7 calls of this archive, according to its files (2 parts)"),
    ]);
    expect(ran.stderr).not.toContain("does not have");
    expect(ran.stderr).toContain("2 exported");
    expect(place.rows("parts", "transcripts-00003.ndjson")).toHaveLength(2);
    expect(place.read("parts", "raw", "SHA256SUMS-00003").trim().split("\n")).toHaveLength(2);
    expect(readdirSync(place.path("parts"), { recursive: true }).length).toBeGreaterThan(before);
    const again = await place.run(adopting);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("--new 9")]);
    expect((await place.runHere(["verify", "parts", "--archive", "new.db"])).code).toBe(0);
  });

  test("accepts only files that match the manifest, and changes nothing otherwise", async () => {
    const { place, all, add } = await stored(4);
    await add("parts/", 2, "-f", "ndjson,raw");
    await place.runHere(["pull", ...all, "--archive", "new.db"]);
    const adopt = () => place.run(["export", "--offline", "--new", "--adopt", "--archive", "new.db", "-o", "parts/"]);
    const text = place.read("parts", "manifest.json");
    const part = place.read("parts", "transcripts-00001.ndjson");
    const [document = ""] = readdirSync(place.path("parts", "raw")).filter((name) => name.endsWith(".json"));
    const cases: [path: string[], content: string | undefined, told: string][] = [
      [["transcripts-00001.ndjson"], part.replace("agent", "tnega"), "has changed since it was written"],
      [["transcripts-00001.ndjson"], undefined, "does not exist"],
      [["raw", document], "{}", "has changed since it was written"],
    ];
    for (const [path, content, told] of cases) {
      const good = place.read("parts", ...path);
      if (content === undefined) rmSync(place.path("parts", ...path));
      else writeFileSync(place.path("parts", ...path), content);
      const ran = await adopt();
      expect([ran.code, ran.stderr]).toEqual(refusal(told));
      writeFileSync(place.path("parts", ...path), good);
    }
    expect(place.read("parts", "manifest.json")).toBe(text);
    expect((await add("parts/", 3)).code).toBe(0);
    expect((await adopt()).code).toBe(0);
    expect(rows(place, "parts")).toEqual([2, 1, 1]);
  });

  test("does not guess which calls are in samples or in unknown files", async () => {
    const { place, all, add } = await stored(3);
    await add("samples/", 2, "-f", "messages");
    await add("both/", 1, "-f", "ndjson");
    // What messages had with it is known from ndjson only where that names every call.
    await add("both/", 3, "-f", "ndjson,messages");
    await place.runHere(["pull", ...all, "--archive", "new.db"]);
    const adopt = (folder: string) =>
      place.run(["export", "--offline", "--new", "--adopt", "--archive", "new.db", "-f", "messages", "-o", folder]);
    for (const folder of ["samples/", "both/"]) {
      const ran = await adopt(folder);
      expect([ran.code, ran.stderr]).toEqual(refusal("does not name its calls"));
    }
    mkdirSync(place.path("strange"));
    writeFileSync(place.path("strange", "notes.txt"), "mine");
    const sha256 = createHash("sha256").update("mine").digest("hex");
    const facts = { files: [{ name: "notes.txt", rows: 1, bytes: 4, sha256 }] };
    writeFileSync(place.path("strange", "manifest.json"), JSON.stringify(facts));
    const ran = await adopt("strange/");
    expect([ran.code, ran.stderr]).toEqual(refusal("does not know what notes.txt"));
  });

  test("killed at any point, the same command gives the same result as without the kill", async () => {
    const { place, all, add } = await stored(5);
    await add("parts/", 2);
    await add("parts/", 3);
    await place.runHere(["pull", ...all, "--archive", "theirs.db"]);
    const args = (at: string) => [
      ...["export", "--offline", "--new", "--adopt"],
      ...["--archive", `theirs-${at}.db`, "-o", `parts-${at}/`],
    ];
    const prepare = (at: string): void => {
      cpSync(place.path("parts"), place.path(`parts-${at}`), { recursive: true });
      for (const name of readdirSync(place.folder).filter((each) => /^theirs\.db/.test(each)))
        cpSync(place.path(name), place.path(name.replace("theirs", `theirs-${at}`)));
    };
    prepare("whole");
    expect((await place.run(args("whole"), { env: faulty({ FAULTY_LOG: place.path("points") }) })).code).toBe(0);
    const whole = place.read("parts-whole", "manifest.json");
    expect(rows(place, "parts-whole")).toEqual([2, 1, 2]);
    const points = place.read("points").trim().split("\n");
    for (let at = 1; at <= points.length; at += SOAK ? 1 : 6) {
      prepare(String(at));
      const killed = await place.run(args(String(at)), { env: faulty({ FAULTY_AT: String(at) }) });
      expect(killed.code).toBe(null);
      const ran = await place.runHere(args(String(at)));
      expect([at, points[at - 1], ran.code]).toEqual([at, points[at - 1], 0]);
      expect(place.read(`parts-${at}`, "manifest.json")).toBe(whole);
    }
  }, 600_000);
});
