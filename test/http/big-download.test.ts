import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "rolldown";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { generatedContent } from "../../src/emulator/object-content.ts";
import { SOAK } from "../helpers/soak.ts";

const MB = 1024 * 1024;
const BYTES = SOAK ? 3 * 1024 * MB + 12_345 : 96 * MB + 12_345;
/** What the download of a file of any size may take, in MB: an idle Node takes about 45. */
const MAX_RSS_MB = 150;

const folder = mkdtempSync(join(tmpdir(), "big-download-"));
const script = join(folder, "download.mjs");
const path = join(folder, "recording.mp4");
let emulator: Emulator;
beforeAll(async () => {
  // The script finds packages beside itself.
  symlinkSync(join(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
  await build({
    input: join(import.meta.dirname, "big-download.ts"),
    platform: "node",
    external: (id) => !/^[./]/.test(id),
    output: { file: script, format: "esm" },
    logLevel: "silent",
  });
  emulator = await startEmulator({ calls: 0 });
  emulator.putObject({ bucket: "records", key: "recording.mp4", bytes: BYTES });
});
afterEach(() => {
  emulator.faults = {};
  rmSync(path, { force: true });
});
afterAll(async () => {
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  sha256: string;
  bytes: number;
  opened: number[];
  retries: number;
  rssMb: number;
  cpuSeconds: number;
}

const start = (): { child: ChildProcess; lines: AsyncIterable<string>; ended: Promise<number | null> } => {
  const child = spawn(process.execPath, [script, emulator.url, "records", "recording.mp4", path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, lines: createInterface(child.stdout), ended };
};

const finish = async (): Promise<Result> => {
  const { lines, ended } = start();
  let last = "{}";
  for await (const line of lines) last = line;
  expect(await ended).toBe(0);
  return JSON.parse(last) as Result;
};

let expected: string | undefined;
const expectedSha = (): string => {
  if (expected === undefined) {
    const hash = createHash("sha256");
    for (const piece of generatedContent("records/recording.mp4", BYTES).pieces(0, BYTES)) hash.update(piece);
    expected = hash.digest("hex");
  }
  return expected;
};

describe(`a recording of ${Math.round(BYTES / MB)} MB`, () => {
  test("arrives whole over a link that breaks five times, in flat memory", async () => {
    emulator.faults = { breaks: 5, breakAfter: Math.floor(BYTES / 7) };
    const before = performance.now();
    const result = await finish();
    if (SOAK) console.log({ ...result, seconds: (performance.now() - before) / 1000 });
    expect(result).toMatchObject({ bytes: BYTES, sha256: expectedSha(), retries: 5 });
    expect(result.opened).toHaveLength(6);
    expect(statSync(path).size).toBe(BYTES);
    expect(existsSync(`${path}.part`)).toBe(false);
    if (SOAK) expect(result.rssMb).toBeLessThan(MAX_RSS_MB);
  }, 600_000);

  test("is continued after a kill -9 in its middle, and arrives whole", async () => {
    const { child, lines, ended } = start();
    for await (const line of lines)
      if ((JSON.parse(line) as { bytes: number }).bytes > BYTES / 3) {
        child.kill("SIGKILL");
        break;
      }
    await ended;
    const left = statSync(`${path}.part`).size;
    expect(left).toBeGreaterThan(BYTES / 3);
    expect([left < BYTES, existsSync(path)]).toEqual([true, false]);
    const result = await finish();
    if (SOAK) console.log({ left, ...result });
    expect(result).toMatchObject({ bytes: BYTES, sha256: expectedSha(), opened: [left], retries: 0 });
    if (SOAK) expect(result.rssMb).toBeLessThan(MAX_RSS_MB);
  }, 600_000);
});
