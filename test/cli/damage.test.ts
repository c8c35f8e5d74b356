import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { parseLines, type Workplace, workplace } from "../helpers/workplace.ts";

/** An archive of some calls, all of it in its one file. */
const filled = async (calls: number): Promise<{ place: Workplace; ids: string[]; bytes: Buffer }> => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const ids = [...cloud.ids()];
  await place.runHere(["pull", ...ids]);
  const db = new Database(place.path("callarchive.db"));
  db.prepare("pragma wal_checkpoint(TRUNCATE)").get();
  db.close();
  return { place, ids, bytes: readFileSync(place.path("callarchive.db")) };
};

const PAGE = 4096;

describe("a damaged archive", () => {
  test("is reported in one message that says what to do; verify reports findings", async () => {
    const { place, ids, bytes } = await filled(60);
    // Its schema stays: everything after the first pages is gone bad, or gone.
    const pages = bytes.length / PAGE;
    const bad = Buffer.from(bytes);
    bad.fill(0xff, 2 * PAGE, (pages - 1) * PAGE);
    for (const [name, damaged] of [
      ["middle.db", bad],
      ["short.db", bytes.subarray(0, Math.floor(pages / 2) * PAGE + 100)],
      ["first.db", bytes.subarray(0, PAGE)],
    ] as const) {
      const fresh = (): void => writeFileSync(place.path(name), damaged);
      fresh();
      const verified = await place.runHere(["verify", "--archive", name, "--json"]);
      expect([name, verified.code, verified.stderr]).toEqual([name, 3, expect.stringContaining("finding")]);
      const findings = parseLines<{ where: string; what: string }>(verified.stdout);
      expect(findings.some(({ where, what }) => where === name && /malformed|damaged/.test(what))).toBe(true);
      for (const args of [["export", "--offline", "-o", "out.ndjson"], ["pull", ...ids], ["status"]]) {
        fresh();
        const ran = await place.runHere([...args, "--archive", name]);
        expect([name, args[0], ran.code]).toEqual([name, args[0], 1]);
        expect(ran.stderr).toContain(`The archive ${place.path(name)} is damaged`);
        expect(ran.stderr).toMatch(/restore a backup.*sqlite3 ".*" \.recover/);
        expect(ran.stderr.match(/is damaged/g)).toHaveLength(1);
      }
    }
  }, 60_000);

  test("a block that cannot be read: the error says how to find its calls", async () => {
    const { place } = await filled(3);
    const db = new Database(place.path("callarchive.db"));
    db.exec("update blocks set body = x'00'");
    db.close();
    const ran = await place.run(["export", "--offline", "-o", "out.ndjson"]);
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('"callarchive verify" names the calls in it')]);
  });
});

describe("an archive that cannot be opened or written: the error gives the reason only", () => {
  test("a file where a folder is needed, a folder, another file, no space", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2 });
    const [id = ""] = cloud.ids();
    writeFileSync(place.path("file"), "text, and more of it than a header takes ".repeat(10));
    mkdirSync(place.path("folder"));
    const under = await place.runHere(["pull", id, "--archive", "file/a.db"]);
    expect([under.code, under.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot be opened: .*file is a file, where a folder/),
    ]);
    expect((await place.runHere(["pull", id, "--archive", "folder"])).stderr).toContain("is a folder");
    expect((await place.runHere(["status", "--archive", "file"])).stderr).toContain("is not a callarchive archive");
    const full = await place.run(["pull", id], { env: faulty({ FAULTY_AT: "4", FAULTY_HOW: "ENOSPC" }) });
    expect([full.code, full.stderr]).toEqual([
      1,
      expect.stringContaining(`No space is left for the archive ${place.path("callarchive.db")}`),
    ]);
    const doctor = await place.run(["doctor", "--archive", "file/a.db"]);
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringMatching(/FAIL {2}archive .*is a file, where a folder/),
    ]);
  });

  // Permissions mean nothing to root: the command runs as nobody then, if it can.
  const uid = 65_534;
  const isRoot = process.getuid?.() === 0;
  const bin = new URL("../../bin/callarchive.js", import.meta.url).pathname;
  const canRun = !isRoot || spawnSync(process.execPath, [bin, "--version"], { uid, cwd: "/" }).status === 0;
  test.skipIf(!canRun)("a folder or a file that this user may not write to", async () => {
    const { place } = await filled(1);
    const as = isRoot ? { uid } : {};
    chmodSync(place.folder, 0o555);
    chmodSync(place.path("callarchive.db"), 0o444);
    const file = await place.run(["status"], as);
    expect([file.code, file.stderr]).toEqual([
      1,
      expect.stringMatching(/the file cannot be written \(this user may not/),
    ]);
    chmodSync(place.path("callarchive.db"), 0o666);
    const folder = await place.run(["status"], as);
    expect([folder.code, folder.stderr]).toEqual([
      1,
      expect.stringMatching(/the folder .* cannot be written \(this user may not.*SQLite keeps its log there/),
    ]);
    expect((await place.run(["doctor"], as)).stdout).toMatch(/FAIL {2}archive .*cannot be written/);
    const none = await place.run(["doctor", "--archive", "new/a.db"], as);
    expect([none.code, none.stdout]).toEqual([1, expect.stringMatching(/FAIL {2}archive .*cannot be written/)]);
    chmodSync(place.folder, 0o755);
  });
});
