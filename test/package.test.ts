import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SOAK } from "./helpers/soak.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const run = promisify(execFile);
/** The newest of each line that is maintained, beside the one that runs the tests. npm's `node-<platform>` carry them. */
const NODES = ["22", "24", "26"];

describe("the package, installed into a clean folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  let bin = "";
  beforeAll(async () => {
    const npm = (args: string[], cwd = folder) => run("npm", [...args, "--no-audit", "--no-fund"], { cwd });
    const { stdout } = await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT);
    const [{ filename }] = JSON.parse(stdout);
    await npm(["init", "--yes"]);
    await npm(["install", join(folder, filename)]);
    bin = join(folder, "node_modules/.bin/callarchive");
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("holds what it needs and nothing of the tests", () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(files).not.toContain("test");
    expect(() => readFileSync(join(folder, "node_modules/callarchive/dist/cli/main.js"))).not.toThrow();
  });

  test("runs on this Node", async () => {
    expect((await run(bin, ["--version"], { cwd: folder })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run(bin, ["demo", "-o", "here"], { cwd: folder })).stderr).toContain("60 selected = 60 exported");
  });

  test("is a library too", async () => {
    const script = `import { writers, startEmulator } from "callarchive"; const e = await startEmulator(); console.log(Object.keys(writers).length, e.url); await e.close();`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
    expect(stdout).toMatch(/^4 http:/);
  });

  const carrier = `node-${process.platform}-${process.arch}`;
  // Downloads 100 MB each: `npm run soak` asks for it.
  test.runIf(SOAK).each(NODES)(
    "runs on Node %s",
    async (version) => {
      const nodes = join(folder, `node-${version}`);
      await run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", nodes, `${carrier}@${version}`]);
      const node = join(nodes, "node_modules", carrier, "bin/node");
      expect((await run(node, ["--version"])).stdout).toMatch(new RegExp(`^v${version}\\.`));
      const { stderr } = await run(node, [bin, "demo", "-o", `demo-${version}`], { cwd: folder });
      expect(stderr).toContain("60 selected = 60 exported");
      expect(stderr).not.toMatch(/warning/i);
    },
    120_000,
  );
});
