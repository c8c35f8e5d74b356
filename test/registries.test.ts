import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Workplace, workplace } from "./helpers/workplace.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** A file of its own in a registry's folder, and the registry's line for it. */
interface Addition {
  folder: string;
  /** Of the file and of its export. */
  name: string;
  /** What the registry calls it. */
  key: string;
  text: string;
}

const FORMAT: Addition = {
  folder: "writers",
  name: "tsv",
  key: "tsv",
  text: `import type { WriterOptions, WriterShape } from "./shape.ts";

export const tsv = {
  create: (_: WriterOptions) => ({
    begin: () => {},
    item: ({ id, turns }, put) => {
      put(\`\${id}\\t\${turns.length}\\n\`, { rows: 1 });
      return undefined;
    },
    end: () => {},
  }),
  file: "calls.tsv",
  sidecars: [],
  summary: "a line per call",
  extensions: [".tsv"],
  redactable: true,
  ids: {},
  samples: false,
} satisfies WriterShape;
`,
};

const PRESET: Addition = {
  folder: "presets",
  name: "plainText",
  key: "plain-text",
  text: `import { eachRow } from "./checks/rule.ts";
import type { Preset } from "./shape.ts";

export const plainText: Preset = {
  name: "plain-text",
  summary: "one text per call",
  reader: "readers of plain text",
  can: { tools: false, greetingFirst: false, emptyUser: false, parts: true },
  rows: "columns",
  unit: "call",
  loader: "datasets",
  line: ({ messages }) => ({ text: messages.map(({ content }) => content).join("\\n") }),
  rules: [
    eachRow("text", "error", "The row is skipped.", (row) =>
      typeof row.text === "string" ? undefined : "there is no text in it",
    ),
  ],
};
`,
};

/** Adds one file, its import and one line. */
const add = (place: Workplace, { folder, name, key, text }: Addition, registry: RegExp): void => {
  writeFileSync(place.path("src", folder, `${name}.ts`), text);
  const index = place.path("src", folder, "index.ts");
  const before = readFileSync(index, "utf8");
  const after = before.replace(registry, (_, lines: string) => `${lines}, "${key}": ${name} }`);
  expect(after).not.toBe(before);
  writeFileSync(index, `import { ${name} } from "./${name}.ts";\n${after}`);
};

test("a format and a preset are one file and one line each: help, completion, messages and check then know them", async () => {
  const place = workplace();
  for (const name of ["src", "bin", "package.json", "tsconfig.json", "rolldown.config.mjs"])
    cpSync(join(ROOT, name), place.path(name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), place.path("node_modules"));
  add(place, FORMAT, /(export const writers = \{[^}]*?),?\s*\}/);
  add(place, PRESET, /(export const presets = \{[^}]*?),?\s*\}/);
  const { status, stdout } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", place.folder], { encoding: "utf8" });
  expect([status, stdout]).toEqual([0, ""]);
  const bundler = [join(ROOT, "node_modules/.bin/rolldown"), "--config", "--log-level", "silent"];
  expect(spawnSync(process.execPath, bundler, { cwd: place.folder }).status).toBe(0);

  const cloud = await place.cloud({ calls: 12, agents: 1 });
  const own = (...args: string[]) => place.run(args, { bin: place.path("bin/callarchive.js") });
  const [exportHelp, datasetHelp, checkHelp, completion] = await Promise.all([
    own("export", "--help"),
    own("dataset", "--help"),
    own("check", "--help"),
    own("completion", "bash"),
  ]);
  const flowing = (text: string): string => text.replace(/\s+/g, " ");
  expect(flowing(exportHelp.stdout)).toContain("ndjson, csv, messages, raw or tsv; repeatable");
  expect(flowing(datasetHelp.stdout)).toMatch(/file format of a trainer: messages, [a-z, -]+, plain-text; repeatable/);
  // Also what it can do is told from the registry.
  expect(flowing(datasetHelp.stdout)).toMatch(/content as a list of parts \(only bailian, plain-text\)/);
  expect(flowing(checkHelp.stdout)).toMatch(/trainer whose rules apply: [a-z, -]+, plain-text/);
  expect(completion.stdout).toMatch(/\btsv\b/);
  expect(completion.stdout).toMatch(/\bplain-text\b/);

  const toFolder = await own("export", ...cloud.ids(), "-f", "tsv,ndjson", "-o", "out/");
  expect([toFolder.code, toFolder.stderr]).toEqual([0, expect.stringContaining("12 exported")]);
  expect(place.read("out", "calls.tsv").trimEnd().split("\n")).toHaveLength(12);
  writeFileSync(place.path("bad.jsonl"), '{"words":"x"}\n');
  const [toFile, unknownFormat, set, bad, unknownPreset] = await Promise.all([
    own("export", "--offline", "-o", "calls.tsv"),
    own("export", "--offline", "-f", "tvs"),
    own("dataset", "--preset", "plain-text", "-o", "set", "--split", "train=1"),
    own("check", "--preset", "plain-text", "bad.jsonl"),
    own("check", "--preset", "plaintext", "bad.jsonl"),
  ]);
  // Its ending chooses it.
  expect([toFile.code, place.read("calls.tsv")]).toEqual([0, place.read("out", "calls.tsv")]);
  expect([unknownFormat.code, unknownFormat.stderr]).toEqual([2, expect.stringMatching(/There are: .*, tsv\./)]);
  expect(set.code).toBe(0);
  expect(place.rows("set", "train.jsonl").every((row) => typeof row.text === "string")).toBe(true);
  expect([bad.code, bad.stdout]).toEqual([3, expect.stringContaining("there is no text in it")]);
  expect([unknownPreset.code, unknownPreset.stderr]).toEqual([
    2,
    expect.stringMatching(/The presets are: .*, plain-text\./),
  ]);
  const good = await own("check", "--preset", "plain-text", "set");
  expect([good.code, good.stderr]).toEqual([0, ""]);
});
