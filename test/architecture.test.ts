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
/** The folder right in src; what lies in src itself is the library. */
const moduleOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : "");
const shown = ({ from, to }: Import): string => `${from} -> ${to}`;

/** Which modules a module may import from, beside itself. */
const RULES: Record<string, readonly string[]> = {
  core: [],
  parse: ["core"],
  transforms: ["core"],
  writers: ["core"],
  presets: ["core"],
  reports: ["core", "presets"],
  http: ["core"],
  cloud: ["core", "http"],
  "object-storage": ["core", "http"],
  sources: ["core", "parse", "http", "cloud", "object-storage"],
  archive: ["core"],
  sinks: ["core"],
  emulator: [],
  app: [
    ...["core", "parse", "http", "cloud", "object-storage", "sources", "archive", "transforms", "writers"],
    ...["presets", "reports", "sinks", "emulator"],
  ],
  web: ["core", "app"],
  // Besides the application, the registries alone: for help, checks and completion.
  cli: ["core", "app", "web", "writers", "presets", "transforms"],
  // The library surface, src/index.ts.
  "": ["core", "parse", "transforms", "writers", "presets", "reports", "sinks", "emulator", "app"],
};

/** All that the command line may import of the modules that it otherwise leaves to the application. */
const REGISTRIES = [
  "writers/index.ts",
  "presets/index.ts",
  "transforms/redact/categories.ts",
  "transforms/quality/rule-names.ts",
];

/** Files that reach themselves by imports, as groups: types count too. */
const circles = (): string[][] => {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file) ?? 0);
    open.push(file);
    for (const { from, to, ours } of imports) {
      if (from !== file || !ours) continue;
      if (!order.has(to)) visit(to);
      if (open.includes(to)) lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(to) ?? 0));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
};

describe("the source", () => {
  test("has the modules that the rules name, and its imports are found", () => {
    expect(new Set(files.map(moduleOf))).toEqual(new Set(Object.keys(RULES)));
    expect(imports.filter(({ ours }) => ours).length).toBeGreaterThan(100);
    expect(imports.filter(({ ours, to }) => ours && !files.includes(to)).map(shown)).toEqual([]);
  });

  test("each module imports only from those it may", () => {
    const stray = imports.filter(
      ({ from, to, ours }) => ours && moduleOf(to) !== moduleOf(from) && !RULES[moduleOf(from)]?.includes(moduleOf(to)),
    );
    expect(stray.map(shown)).toEqual([]);
  });

  test("the map names the same modules and the same rules", () => {
    const text = readFileSync(join(SRC, "README.md"), "utf8");
    const rows = [...text.matchAll(/^\| `([a-z-]+)(?:\/|\.ts)` \|.*\| ([^|]*) \|$/gm)];
    const told = rows.map(([, name = "", rule = ""]) => [
      name === "index" ? "" : name,
      Object.keys(RULES).filter((each) => each !== "" && new RegExp(`\\b${each}\\b`).test(rule)),
    ]);
    const rules = Object.entries(RULES).map(([name, from]) => [
      name,
      Object.keys(RULES).filter((each) => from.includes(each)),
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(rules));
  });

  test("core is pure: no file system, no network, no process", () => {
    const impure = imports.filter(
      ({ from, to }) =>
        moduleOf(from) === "core" && /^(node:)?(fs|net|http|https|child_process|process|os|worker_threads)/.test(to),
    );
    expect(impure.map(shown)).toEqual([]);
  });

  test("the emulator stands alone: Node's modules and its own files", () => {
    const stray = imports.filter(
      ({ from, to, ours }) => moduleOf(from) === "emulator" && !ours && !to.startsWith("node:"),
    );
    expect(stray.map(shown)).toEqual([]);
  });

  test("only cli/main.ts touches the process", () => {
    const touching = files.filter((file) => {
      const code = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return /\bprocess\.[a-z]|from "node:process"|\bconsole\.(log|error|warn|info)\b/.test(code);
    });
    expect(touching).toEqual(["cli/main.ts"]);
  });

  test("a file appears by two ways only: written here, or downloaded over days and then named by its content", () => {
    const naming = files.filter((file) => {
      const code = readFileSync(join(SRC, file), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return /\brename(Sync)?\(|\.part`/.test(code.replace(/\b\w+\.rename\(|^ {2}rename\(/gm, ""));
    });
    expect(naming.sort()).toEqual(["app/media/folder.ts", "http/part-file.ts", "sinks/atomic-file.ts"]);
  });

  test("no file imports itself by way of others, types included", () => {
    expect(circles()).toEqual([]);
  });

  test("the command line leaves all but the registries to the application", () => {
    const stray = imports.filter(
      ({ from, to, ours }) =>
        ours &&
        moduleOf(from) === "cli" &&
        ["writers", "presets", "transforms"].includes(moduleOf(to)) &&
        !REGISTRIES.includes(to),
    );
    expect(stray.map(shown)).toEqual([]);
  });

  test("no type of a flag leaves the command line", () => {
    const named = files
      .filter((file) => moduleOf(file) !== "cli")
      .filter((file) => /\b[A-Z]\w*Flags\b/.test(readFileSync(join(SRC, file), "utf8")));
    expect(named).toEqual([]);
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
    expect([...reached].filter((file) => ["archive", "cloud", "http", "emulator"].includes(moduleOf(file)))).toEqual(
      [],
    );
  });

  test("no file is longer than three screens", () => {
    const long = files.map((file) => [file, readFileSync(join(SRC, file), "utf8").split("\n").length] as const);
    expect(long.filter(([, lines]) => lines > 300)).toEqual([]);
  });
});
