import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { partPath } from "../../src/sinks/atomic-file.ts";
import { FileSet } from "../../src/sinks/file-set.ts";
import { clearLeftovers, tagOf } from "../../src/sinks/leftovers.ts";
import { SELF } from "./sinks.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "set-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const names = (): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? [] : join(entry.parentPath, entry.name).slice(folder.length + 1)))
    .toSorted();
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const newSet = (): FileSet => new FileSet({ root: folder, manifest: "manifest.json", tag: tagOf(SELF) });

describe("a set of files", () => {
  test("appears when all are complete, then its manifest, which has the facts of each file", async () => {
    const set = newSet();
    const output = set.output("b.txt");
    output.put("main\n", { rows: 1 });
    output.put("side\n", { rows: 2, file: "a.txt" });
    output.put("whole", { rows: 3, file: "raw/c.json", whole: true });
    await output.flush();
    expect(names().every((name) => name.endsWith(".part"))).toBe(true);
    const facts = await set.publish((files) => {
      expect(names().every((name) => name.endsWith(".part"))).toBe(true);
      return { files: files.map((file) => ({ ...file })) };
    });
    const main = `main\n${sha256("whole")}  raw/c.json\n`;
    expect(read("b.txt")).toBe(main);
    expect(facts).toEqual([
      { name: "a.txt", rows: 2, bytes: 5, sha256: sha256("side\n") },
      { name: "b.txt", rows: 4, bytes: main.length, sha256: sha256(main) },
    ]);
    expect(names()).toEqual(["a.txt", "b.txt", "manifest.json", "raw/c.json"]);
    expect(JSON.parse(read("manifest.json"))).toEqual({ files: facts });
  });

  test("does not appear when its manifest cannot be made", async () => {
    const set = newSet();
    const output = set.output("a.txt");
    output.put("text");
    output.put("whole", { file: "c.json", whole: true });
    await output.flush();
    await expect(set.publish(() => Promise.reject(new Error("no manifest")))).rejects.toThrow("no manifest");
    await set.discard();
    expect(names()).toEqual([]);
  });

  test("is named by an incomplete manifest before it replaces files, and old files go last", async () => {
    for (const old of ["old.txt", "kept.txt"]) writeFileSync(join(folder, old), "old");
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside", "theirs.txt"), "theirs");
    symlinkSync(join(folder, "outside", "theirs.txt"), join(folder, "link.txt"));
    // A folder in the way of a new file: the run fails after the incomplete manifest, as if it were killed.
    mkdirSync(join(folder, "z.txt", "inner"), { recursive: true });
    const replaces = { files: new Set(["old.txt", "kept.txt", "link.txt"]), facts: { tool: "test" } };
    const set = newSet();
    for (const name of ["kept.txt", "z.txt"]) (await set.file(name)).add("new");
    await expect(set.publish(() => ({ complete: true }), { replaces })).rejects.toThrow();
    await set.discard();
    expect(JSON.parse(read("manifest.json"))).toEqual({
      tool: "test",
      incomplete: true,
      files: ["kept.txt", "link.txt", "old.txt", "z.txt"].map((name) => ({ name })),
    });
    expect(read("old.txt")).toBe("old");
    rmSync(join(folder, "z.txt"), { recursive: true });
    const again = newSet();
    for (const name of ["kept.txt", "z.txt"]) (await again.file(name)).add("new");
    await again.publish(() => ({ complete: true }), { replaces });
    // The link and its target are somebody's: links are not followed and not deleted.
    expect(names()).toEqual(["kept.txt", "link.txt", "manifest.json", "outside/theirs.txt", "z.txt"]);
    expect([read("kept.txt"), read("outside/theirs.txt")]).toEqual(["new", "theirs"]);
    expect(JSON.parse(read("manifest.json"))).toEqual({ complete: true });
  });

  test("leaves out files without rows when asked, and takes new names before it appears", async () => {
    const set = newSet();
    (await set.file("empty.txt")).add("header\n");
    (await set.file("full.txt")).add("row\n", 1);
    set.rename("full.txt", "full-1.txt");
    expect(() => set.rename("unknown", "x")).toThrow("Internal error");
    expect(() => set.rename("empty.txt", "full-1.txt")).toThrow("Internal error");
    const facts = await set.publish(() => ({}), { dropEmpty: true });
    expect(facts.map(({ name, rows }) => [name, rows])).toEqual([["full-1.txt", 1]]);
    expect(names()).toEqual(["full-1.txt", "manifest.json"]);
  });
});

describe("leftovers of killed runs", () => {
  const HOUR = 3_600_000;
  const part = (name: string, host: string, pid: number): string => partPath(name, tagOf({ host, pid }));
  const leave = (name: string, hoursAgo = 0): string => {
    writeFileSync(join(folder, name), "part");
    const at = new Date(Date.now() - hoursAgo * HOUR);
    utimesSync(join(folder, name), at, at);
    return name;
  };
  const clear = (alive: readonly number[] = []): Promise<void> =>
    clearLeftovers(folder, { ...SELF, isAlive: (pid) => alive.includes(pid) }, (name) => name === "out.txt");

  test("are deleted when their process has ended, and only those of this output", async () => {
    const other = leave(part("other.txt", "here", 9));
    const alive = leave(part("out.txt", "here", 8));
    const own = leave(part("out.txt", "here", SELF.pid));
    const gone = leave(part("out.txt", "here", 9));
    await clear([8]);
    expect(existsSync(join(folder, gone))).toBe(false);
    expect(names()).toEqual([other, alive, own].toSorted());
  });

  test("of another machine, or with our own process id, are deleted after a day", async () => {
    const fresh = [leave(part("out.txt", "there", 9), 23), leave(part("out.txt", "here", SELF.pid), 23)];
    leave(part("out.txt", "there", 9), 25);
    leave(part("out.txt", "here", SELF.pid), 25);
    await clear();
    expect(names()).toEqual(fresh.toSorted());
  });

  test("are files: links, folders and names of others stay", async () => {
    const target = leave("target");
    const link = part("out.txt", "here", 9);
    symlinkSync(join(folder, target), join(folder, link));
    mkdirSync(join(folder, part("out.txt", "here", 9)));
    const strange = ["out.txt.part", "out.txt.here.9.part", "out.txt.here.x.aaaaaaaaaaaa.part", "out.txt"].map((name) =>
      leave(name, 99),
    );
    await clear();
    expect(names()).toEqual([target, link, ...strange].toSorted());
    expect(readdirSync(folder)).toHaveLength(7);
    await clearLeftovers(join(folder, "no such folder"), SELF, () => true);
  });
});
