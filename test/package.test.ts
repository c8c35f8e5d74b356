import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SOAK } from "./helpers/soak.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const run = promisify(execFile);
/** The newest of each line that is maintained, beside the one that runs the tests. npm's `node-<platform>` carry them. */
const NODES = ["22", "24", "26"];
/** What an installation may weigh, dependencies and all. */
const LARGEST_BYTES = 60_000_000;

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

describe("the package, installed into a clean folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "package-"));
  const installed = join(folder, "node_modules/callarchive");
  let bin = "";
  let files: string[] = [];
  beforeAll(async () => {
    const npm = (args: string[], cwd = folder) => run("npm", [...args, "--no-audit", "--no-fund"], { cwd });
    const { stdout } = await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], ROOT);
    const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
    await npm(["init", "--yes"]);
    await npm(["install", join(folder, packed?.filename ?? "")]);
    bin = join(folder, "node_modules/.bin/callarchive");
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("holds the program with its types, documentation, examples and licences, and nothing else", () => {
    const top = new Set(files.map((path) => path.split("/")[0] ?? ""));
    const own = ["CHANGELOG.md", "LICENSE", "README.md", "bin", "dist", "docs", "examples", "package.json"];
    expect([...top].sort()).toEqual(own);
    expect(files.filter((path) => path.startsWith("dist/") && !/\.(js|d\.ts)$/.test(path)).sort()).toEqual([
      "dist/help-110.txt",
      "dist/help-80.txt",
      // Of the packages that the build puts into its own files.
      "dist/licences/big-integer/LICENSE",
      "dist/licences/echarts/LICENSE",
      "dist/licences/echarts/NOTICE",
      "dist/licences/libphonenumber-js/LICENSE",
      "dist/licences/node-sql-parser/LICENSE",
      "dist/licences/zrender/LICENSE",
    ]);
    const made = (from: string, folder: string, ending: RegExp): string[] =>
      filesUnder(join(ROOT, from))
        .map((path) => path.slice(join(ROOT, from).length + 1))
        .filter((path) => ending.test(path))
        .map((path) => `${folder}/${path}`);
    const names = [
      ...made("src", "dist", /\.ts$/).map((path) => path.replace(/\.ts$/, ".d.ts")),
      ...made("docs", "docs", /\.(md|json)$/),
      ...made("examples", "examples", /\.(mjs|md)$/),
    ];
    expect(files.filter((path) => /^(dist|docs|examples)\/.*\.(d\.ts|mjs|md|json)$/.test(path)).sort()).toEqual(
      names.sort(),
    );
    // What is started or imported by name; all else is parts of these.
    expect(
      files.filter((path) => /^dist\/.*\.js$/.test(path) && !/^dist\/chunks\/[\w.-]+\.js$/.test(path)).sort(),
    ).toEqual(["dist/cli/main.js", "dist/emulator/corpus.js", "dist/emulator/instance.js", "dist/index.js"]);
  });

  test("names no place of the machine that built it", () => {
    const places = [join(ROOT, "src/"), join(ROOT, "node_modules/")];
    const telling = files.filter((path) => places.some((place) => readFileSync(join(ROOT, path)).includes(place)));
    expect(telling).toEqual([]);
  });

  test("is small, with all that it depends on", () => {
    const bytes = filesUnder(join(folder, "node_modules")).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(LARGEST_BYTES);
  });

  test("runs on this Node", async () => {
    expect((await run(bin, ["--version"], { cwd: folder })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run(bin, ["demo", "-o", "here"], { cwd: folder })).stderr).toContain("60 selected = 60 exported");
  });

  test("is a library too, whose examples run", async () => {
    const { stdout } = await run(process.execPath, [join(installed, "examples/export-ndjson.mjs")], { cwd: folder });
    expect(stdout).toContain("complete: 20 of 20 calls");
  });

  test("has types that a strict program can be checked against, its libraries included", async () => {
    writeFileSync(
      join(folder, "program.mts"),
      `import { createContext, exportConversations, openArchive, presets, pull, writers, type Transcript } from "callarchive";
const context = createContext(process, { signal: AbortSignal.timeout(1000), onProgress: ({ done }) => void done });
const { states } = await pull({ agents: ["a"], since: new Date(), until: undefined }, context);
const { counts } = await exportConversations({ output: "-", offline: true, formats: ["csv"] }, context);
const archive = await openArchive();
const ids: string[] = [];
for await (const { id } of archive.transcripts() as AsyncIterable<Transcript>) ids.push(id);
// @ts-expect-error an output has to be named
await exportConversations({}, context);
console.log(states.fetched + (counts?.exported ?? 0), presets.bailian.name, writers.csv.file, ids);
`,
    );
    const compilerOptions = { target: "ES2022", module: "nodenext", strict: true, skipLibCheck: false, noEmit: true };
    const types = { typeRoots: [join(ROOT, "node_modules/@types")], types: ["node"] };
    const config = { compilerOptions: { ...compilerOptions, ...types }, include: ["program.mts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder]).catch((error) => error);
    expect(tsc.stdout).toBe("");
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
