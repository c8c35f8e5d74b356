import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const BIN = new URL("../../bin/callarchive.js", import.meta.url).pathname;

/** A hash of every file of a folder, but the manifest, which names the folder. */
const sums = (place: Workplace, folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(place.path(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "manifest.json")
      .map(({ parentPath, name }) => {
        const bytes = readFileSync(`${parentPath}/${name}`);
        return [name, createHash("sha256").update(bytes).digest("hex")] as const;
      })
      .sort(),
  );

/** An archive of enough calls for many bundles. */
const stored = async (calls = 400) => {
  const place = workplace();
  const cloud = await place.cloud({ calls, documentBytes: 12_000 });
  const pulled = await place.runHere(["pull", "-q", "-i", "-"], { input: [...cloud.ids()].join("\n") });
  expect(pulled.code).toBe(0);
  return place;
};

describe("threads", () => {
  test("write the same bytes and counts as one thread", async () => {
    const place = await stored();
    const seen: unknown[] = [];
    for (const threads of ["0", "1", "3"]) {
      const out = `out-${threads}`;
      const args = ["export", "--offline", "--threads", threads, "--log-format", "json"];
      const formats = ["-f", "ndjson,csv,messages,raw", "--min-turns", "90", "-o", `${out}/`];
      const ran = await (threads === "0" ? place.runHere([...args, ...formats]) : place.run([...args, ...formats]));
      const [summary = "{}"] = ran.stderr.split("\n").filter((line) => line.includes('"summary"'));
      const { ts: _, ms: __, runId: ___, ...counted } = JSON.parse(summary);
      seen.push({ code: ran.code, counted, files: sums(place, out) });
    }
    expect(seen[0]).toMatchObject({ counted: { skippedBy: { "min-turns": expect.any(Number) } } });
    expect(Object.keys((seen[0] as { files: object }).files).length).toBeGreaterThan(100);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  test("redact, write each part once, and join an array", async () => {
    const place = await stored(120);
    const counts: unknown[] = [];
    for (const threads of ["0", "2"]) {
      const run = async (...args: string[]) => {
        const words = ["export", "--offline", "--threads", threads, ...args];
        const ran = await (threads === "0" ? place.runHere(words) : place.run(words));
        expect(ran.code).toBe(0);
        return ran;
      };
      const { stderr } = await run("--redact", "all", "--redact-pattern", "agent=Ava", "-o", `clean-${threads}/`);
      counts.push(/redacted: .*/.exec(stderr)?.[0]);
      await run("-f", "raw", "-o", `all-${threads}.json`);
      await run("--limit", "50", "--new", "-o", `new-${threads}/`);
      await run("--new", "-o", `new-${threads}/`);
    }
    expect(counts[0]).toContain("agent");
    expect(counts[1]).toBe(counts[0]);
    expect(sums(place, "clean-2")).toEqual(sums(place, "clean-0"));
    expect(place.read("all-2.json")).toBe(place.read("all-0.json"));
    const documents = JSON.parse(place.read("all-2.json"));
    expect(sums(place, "new-2")).toEqual(sums(place, "new-0"));
    const parts = ["transcripts-00001.ndjson", "transcripts-00002.ndjson"].map((name) => place.rows("new-2", name));
    expect(parts.map((rows) => rows.length)).toEqual([50, documents.length - 50]);
  });

  test("end with the run: when the reader closes the pipe, and at a signal", async () => {
    const place = await stored();
    const args = [BIN, "export", "--offline", "--threads", "2"];
    const reader = spawn("sh", ["-c", '"$@" | head -c 100', "sh", process.execPath, ...args], {
      cwd: place.folder,
      env: place.environment(),
    });
    let said = "";
    reader.stdout.on("data", (text) => {
      said += text;
    });
    expect(await new Promise((resolve) => reader.on("close", resolve))).toBe(0);
    expect(said).toHaveLength(100);

    const stopped = await place.run(["export", "--offline", "--threads", "2", "-v", "-f", "ndjson,csv", "-o", "out/"], {
      started: (child) => setImmediate(() => child.kill("SIGTERM")),
    });
    expect([143, null]).toContain(stopped.code);
    expect(readdirSync(place.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});
