import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = new URL("../src", import.meta.url).pathname;

interface Import {
  /** Relative to src, for example `core/pull.ts`. */
  from: string;
  /** A file of ours relative to src, or a package's name. */
  to: string;
  ours: boolean;
  /** Gone when compiled. */
  type: boolean;
  dynamic: boolean;
}

const files = readdirSync(SRC, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".ts"));

const importsOf = (from: string): Import[] => {
  const text = readFileSync(join(SRC, from), "utf8");
  const found: Import[] = [];
  const add = (target: string, type: boolean, dynamic: boolean): void => {
    const ours = target.startsWith(".");
    found.push({ from, ours, type, dynamic, to: ours ? relative(SRC, join(SRC, dirname(from), target)) : target });
  };
  for (const [, clause = "", target = ""] of text.matchAll(/^(?:import|export)\s+([^;]*?)\s*from\s+"([^"]+)"/gm))
    add(target, clause.startsWith("type ") || /^\{(\s*type \w+( as \w+)?,?)+\s*\}$/.test(clause), false);
  for (const [, target = ""] of text.matchAll(/^import\s+"([^"]+)"/gm)) add(target, false, false);
  for (const [, target = ""] of text.matchAll(/\bimport\(\s*"([^"]+)"/g)) add(target, false, true);
  return found;
};

const imports = files.flatMap(importsOf);
const room = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : "");
const shown = ({ from, to }: Import): string => `${from} -> ${to}`;

/** Which rooms a room may import from, beside itself. */
const RULES: Record<string, readonly string[]> = {
  core: [],
  parse: ["core"],
  transforms: ["core"],
  writers: ["core"],
  http: ["core"],
  cloud: ["core", "http"],
  sources: ["core", "parse", "http", "cloud"],
  archive: ["core"],
  sinks: ["core"],
  emulator: [],
  cli: ["core", "parse", "http", "cloud", "sources", "archive", "transforms", "writers", "sinks", "emulator"],
  // The library surface, src/index.ts.
  "": ["core", "parse", "transforms", "writers", "emulator"],
};

describe("the house", () => {
  test("has the rooms that the rules name, and its imports are found", () => {
    expect(new Set(files.map(room))).toEqual(new Set(Object.keys(RULES)));
    expect(imports.filter(({ ours }) => ours).length).toBeGreaterThan(100);
    expect(imports.filter(({ ours, to }) => ours && !files.includes(to)).map(shown)).toEqual([]);
  });

  test("each room imports only from those it may", () => {
    const stray = imports.filter(
      ({ from, to, ours }) => ours && room(to) !== room(from) && !RULES[room(from)]?.includes(room(to)),
    );
    expect(stray.map(shown)).toEqual([]);
  });

  test("core is pure: no file system, no network, no process", () => {
    const impure = imports.filter(
      ({ from, to }) =>
        room(from) === "core" && /^(node:)?(fs|net|http|https|child_process|process|os|worker_threads)/.test(to),
    );
    expect(impure.map(shown)).toEqual([]);
  });

  test("the emulator stands alone: Node's modules and its own files", () => {
    const stray = imports.filter(({ from, to, ours }) => room(from) === "emulator" && !ours && !to.startsWith("node:"));
    expect(stray.map(shown)).toEqual([]);
  });

  test("only cli/main.ts touches the process", () => {
    const touching = files.filter((file) => {
      const code = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return /\bprocess\.[a-z]|from "node:process"|\bconsole\.(log|error|warn|info)\b/.test(code);
    });
    expect(touching).toEqual(["cli/main.ts"]);
  });

  test("in cli, only wire.ts and wire-cloud.ts import what it takes to make the archive and the cloud", () => {
    const making = imports.filter(
      ({ from, to, ours, type }) =>
        room(from) === "cli" && ours && !type && ["archive", "http", "cloud"].includes(room(to)),
    );
    expect([...new Set(making.map(({ from }) => from))].sort()).toEqual(["cli/wire-cloud.ts", "cli/wire.ts"]);
  });

  test("the program's help loads nothing, a command's nothing heavy: of all packages only commander", () => {
    const reached = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to, ours, type, dynamic } of imports) {
        if (from !== file || type || dynamic) continue;
        if (ours) visit(to);
        else if (!to.startsWith("node:")) packages.add(to);
      }
    };
    visit("cli/main.ts");
    expect([...reached]).toEqual(["cli/main.ts"]);
    visit("cli/program.ts");
    expect(reached.size).toBeGreaterThan(5);
    expect([...packages]).toEqual(["commander"]);
    expect([...reached].filter((file) => ["archive", "cloud", "http", "emulator"].includes(room(file)))).toEqual([]);
  });

  test("no file is longer than three screens", () => {
    const long = files.map((file) => [file, readFileSync(join(SRC, file), "utf8").split("\n").length] as const);
    expect(long.filter(([, lines]) => lines > 300)).toEqual([]);
  });
});
