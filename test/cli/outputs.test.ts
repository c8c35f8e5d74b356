import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseLines, workplace } from "../helpers/workplace.ts";

const BIN = new URL("../../bin/callarchive.js", import.meta.url).pathname;
const SEED = new URL("../fixtures/seed", import.meta.url).pathname;

/** A workplace whose archive holds some calls, and no cloud any more. */
const stored = async (calls = 20) => {
  const place = workplace();
  const cloud = await place.cloud({ calls });
  const pulled = await place.runHere(["pull", ...cloud.ids()]);
  expect(pulled.code).toBe(0);
  return place;
};

describe("the vendor's own example", () => {
  test("is exported in every format as in the golden files", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1, data: SEED });
    const [id = ""] = cloud.ids();
    const ran = await place.run(["export", id, "-f", "ndjson,csv,messages,raw", "-o", "out/"]);
    expect(ran.code).toBe(0);
    // The port differs from run to run; nothing else does.
    const text = (name: string): string => place.read("out", name).replaceAll(cloud.url, "http://127.0.0.1:1");
    await expect(text("transcripts.ndjson")).toMatchFileSnapshot("../golden/cli/transcripts.ndjson");
    await expect(text("transcripts.csv")).toMatchFileSnapshot("../golden/cli/transcripts.csv");
    await expect(text("messages.jsonl")).toMatchFileSnapshot("../golden/cli/messages.jsonl");
    const [name = ""] = readdirSync(place.path("out", "raw")).filter((each) => each.endsWith(".json"));
    expect(readFileSync(place.path("out", "raw", name)).equals(Buffer.from(cloud.callLog(id) ?? []))).toBe(true);
    const [sample] = place.rows<{ messages: { role: string }[] }>("out", "messages.jsonl");
    const roles = sample?.messages.map(({ role }) => role);
    expect(roles?.slice(0, 2)).toEqual(["system", "user"]);
    expect(roles?.at(-1)).toBe("assistant");
  });
});

describe("outputs", () => {
  test("a folder gets each format under its name, and a manifest that describes them", async () => {
    const place = await stored();
    const ran = await place.run(["export", "--offline", "-f", "ndjson", "-f", "csv,raw", "-o", "out/"]);
    expect(ran.code).toBe(0);
    const manifest = JSON.parse(place.read("out", "manifest.json"));
    expect(manifest.schema).toBe(2);
    expect(manifest.counts).toMatchObject({ selected: 20, exported: 20, failed: 0 });
    expect(manifest.files.map(({ name }: { name: string }) => name)).toEqual([
      "raw/SHA256SUMS",
      "transcripts.csv",
      "transcripts.ndjson",
    ]);
    for (const { name, bytes, sha256 } of manifest.files) {
      const content = readFileSync(place.path("out", name));
      expect(content.length).toBe(bytes);
      expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
      expect(statSync(place.path("out", name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(place.path("out")).mode & 0o777).toBe(0o700);
    execFileSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: place.path("out", "raw") });
    expect(
      readdirSync(place.path("out"), { recursive: true }).filter((name) => String(name).endsWith(".part")),
    ).toEqual([]);
  });

  test("the same command gives the same bytes, manifest included", async () => {
    const place = await stored();
    const formats = ["-f", "ndjson,csv,messages,raw"];
    await place.run(["export", "--offline", ...formats, "-o", "one/"]);
    await place.runHere(["export", "--offline", ...formats, "-o", "two/"]);
    execFileSync("diff", ["-r", "one", "two"], { cwd: place.folder });
  });

  test("the ending of -o chooses the format; a file has its manifest beside it", async () => {
    const place = await stored(5);
    for (const [file, start] of [
      ["a.csv", "call_id,"],
      ["a.ndjson", '{"id":'],
      ["a.jsonl", '{"messages":'],
      ["a.json", "[\n{"],
    ])
      expect([
        (await place.run(["export", "--offline", "-o", file ?? ""])).code,
        place.read(file ?? "").slice(0, start?.length),
      ]).toEqual([0, start]);
    expect(JSON.parse(place.read("a.csv.manifest.json")).files[0].name).toBe("a.csv");
    expect(JSON.parse(place.read("a.json"))).toHaveLength(5);
    expect(existsSync(place.path("a.jsonl.report.ndjson"))).toBe(true);
  });

  test("--rows turn and --csv-bom", async () => {
    const place = await stored(5);
    const turns = parseLines((await place.run(["export", "--offline", "--rows", "turn"])).stdout);
    const calls = parseLines<{ turns: unknown[] }>((await place.run(["export", "--offline"])).stdout);
    expect(turns).toHaveLength(calls.reduce((sum, call) => sum + Math.max(1, call.turns.length), 0));
    expect(
      (await place.run(["export", "--offline", "-f", "csv", "--csv-bom"])).stdout.startsWith("\ufeffcall_id,"),
    ).toBe(true);
  });

  test("a path with blanks and Chinese; a link is written through, not replaced", async () => {
    const place = await stored(3);
    mkdirSync(place.path("数 据"));
    writeFileSync(place.path("数 据", "target.ndjson"), "old");
    symlinkSync(place.path("数 据", "target.ndjson"), place.path("link.ndjson"));
    const ran = await place.run(["export", "--offline", "-o", "link.ndjson", "--force"]);
    expect(ran.code).toBe(0);
    expect(place.rows("数 据", "target.ndjson")).toHaveLength(3);
    expect(readFileSync(place.path("link.ndjson"), "utf8")).toBe(place.read("数 据", "target.ndjson"));
  });

  test("a device or pipe is written to, never replaced", async () => {
    const place = await stored(3);
    const ran = await place.run(["export", "--offline", "-o", "/dev/null"]);
    expect(ran.code).toBe(0);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const full = await place.run(["export", "--offline", "-f", "ndjson", "-o", "/dev/full"]);
    expect(full.code).toBe(1);
    expect(full.stderr).toMatch(/no space left/i);
  });

  test("a reader that closes the pipe ends the run without a message, with exit 0", async () => {
    const place = await stored(400);
    const line = `{ "${process.execPath}" "${BIN}" export --offline 2>err.txt; echo "exit $?" >code.txt; } | head -n 1`;
    const out = execFileSync("sh", ["-c", line], { cwd: place.folder, env: place.environment() }).toString();
    expect(parseLines(out)).toHaveLength(1);
    expect(place.read("code.txt")).toBe("exit 0\n");
    expect(place.read("err.txt")).not.toContain("EPIPE");
  });

  test("a place that cannot be written is an error before anything is fetched", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    writeFileSync(place.path("file"), "x");
    const ran = await place.run(["export", ...cloud.ids(), "-o", "file/out.ndjson"]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("Cannot write to");
    expect(cloud.stats.requests).toEqual({});
  });

  test("a full disk leaves the old output unchanged and no partial file; with free space, the same command works", async () => {
    const place = await stored(60);
    expect((await place.run(["export", "--offline", "--limit", "1", "-o", "out.ndjson"])).code).toBe(0);
    const old = place.read("out.ndjson");
    // A limit on file sizes stands in for the full disk: 100 blocks of 512 bytes, and the signal ignored.
    const code = await new Promise<number | null>((done) =>
      spawn("sh", ["-c", `ulimit -f 100; "${process.execPath}" "${BIN}" export --offline -o out.ndjson 2>err.txt`], {
        cwd: place.folder,
        env: place.environment(),
      }).on("close", done),
    );
    expect(code).toBe(1);
    expect(place.read("err.txt")).toContain("EFBIG");
    expect(place.read("out.ndjson")).toBe(old);
    expect(readdirSync(place.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
    expect((await place.run(["export", "--offline", "-o", "out.ndjson"])).code).toBe(0);
    expect(place.rows("out.ndjson")).toHaveLength(60);
  });

  test("the disk becomes full while the archive is written: exit 1, and the same command continues later", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 150, documentBytes: 20_000 });
    writeFileSync(place.path("ids"), [...cloud.ids()].join("\n"));
    // In small commits, so that some of them still fit.
    const command = `"${process.execPath}" "${BIN}" export -i ids -o out.ndjson --concurrency 4 2>err.txt`;
    const code = await new Promise<number | null>((done) =>
      spawn("sh", ["-c", `ulimit -f 800; ${command}`], { cwd: place.folder, env: place.environment() }).on(
        "close",
        done,
      ),
    );
    expect([code, existsSync(place.path("out.ndjson"))]).toEqual([1, false]);
    const before = cloud.stats.requests.download ?? 0;
    const again = await place.run(["export", "-i", "ids", "-o", "out.ndjson"]);
    expect(again.code).toBe(0);
    expect(place.rows("out.ndjson")).toHaveLength(150);
    expect((cloud.stats.requests.download ?? 0) - before).toBeLessThan(150);
  });
});
