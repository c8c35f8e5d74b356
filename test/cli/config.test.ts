import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { SOAK } from "../helpers/soak.ts";
import { parseLines, type Ran, type Workplace, workplace } from "../helpers/workplace.ts";

/** A place with these files in it. */
const placeWith = (files: Record<string, string | Buffer>): Workplace => {
  const place = workplace();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(place.path(name)), { recursive: true });
    writeFileSync(place.path(name), text);
  }
  return place;
};

const USUAL = ".config/callarchive/config.yaml";

interface Row {
  key: string;
  value: unknown;
  from: string;
  variable?: string;
  file?: string;
  line?: number;
  commands: string[];
}

const rowsOf = ({ stdout }: Ran): Row[] => JSON.parse(stdout).settings;
const shownOf = async (
  place: Workplace,
  key: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Partial<Row>> => {
  const ran = await place.runHere(["config", "show", "export", "--json", ...args], { env });
  expect([ran.code, ran.stderr.replace("There is no config file.\n", "")]).toEqual([0, ""]);
  const row = rowsOf(ran).find((each) => each.key === key);
  if (!row) throw new Error(`${key} is not shown.`);
  const { commands, key: _, ...rest } = row;
  return rest;
};

const refusal = async (text: string | Buffer, args = ["config", "show"]): Promise<string[]> => {
  const ran = await placeWith({ "c.yaml": text }).runHere([...args, "--config", "c.yaml"]);
  expect([ran.code, ran.stdout]).toEqual([2, ""]);
  return ran.stderr.trimEnd().split("\n");
};

describe("values", () => {
  test("come from the command line, then the environment, then the command's section, then the file, then the default", async () => {
    const place = placeWith({ [USUAL]: "limit: 1\nformat: csv\nexport:\n  limit: 2\n" });
    const cloud = await place.cloud({ calls: 6 });
    const exported = async (args: string[], env: Record<string, string> = {}): Promise<number> =>
      parseLines((await place.run(["export", ...cloud.ids(), "-f", "ndjson", ...args], { env })).stdout).length;
    expect(await exported(["--limit", "4"], { CALLARCHIVE_LIMIT: "3" })).toBe(4);
    expect(await exported([], { CALLARCHIVE_LIMIT: "3" })).toBe(3);
    expect(await exported([])).toBe(2);
    expect(await exported(["--no-config"])).toBe(6);
    const csv = await place.run(["export", ...cloud.ids()]);
    expect(csv.stdout.startsWith("call_id,")).toBe(true);
    expect((await place.runHere(["list", "--json"])).stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  test("agent and since in the file do not conflict with ids on the command line, and do not filter list", async () => {
    const place = placeWith({ "c.yaml": "agents:\n  - somebody\nsince: 2025-07-14\n" });
    const cloud = await place.cloud({ calls: 2, agents: 1 });
    const [id = ""] = cloud.ids();
    const env = { CALLARCHIVE_CONFIG: "c.yaml" };
    expect((await place.runHere(["export", id], { env })).code).toBe(0);
    expect(parseLines((await place.runHere(["list", "--json"], { env })).stdout)).toMatchObject([{ id }]);
  });

  test("agents in the file select by range; the emulator's --agents is separate", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 9, agents: 2 });
    writeFileSync(
      place.path("c.yaml"),
      `agents: [${cloud.agents.join(", ")}]\nsince: 2025-07-14\nemulate:\n  agents: 5\n`,
    );
    const ran = await place.runHere(["pull", "--until", "2025-07-21", "--config", "c.yaml"]);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("9")]);
    const rows = rowsOf(await place.runHere(["config", "show", "--json", "--config", "c.yaml"]));
    expect(rows.find(({ key }) => key === "agents")).toMatchObject({ value: 5, line: 4, commands: ["emulate"] });
    expect(rows.find(({ key, value }) => key === "agent" && value)).toMatchObject({ value: cloud.agents, line: 1 });
  });

  test.each([
    ["min-turns: 4", "min-turns", 4],
    ["min-duration: 90s", "min-duration", 90],
    ["limit: 010", "limit", 10],
    ["agent: 0012", "agent", ["0012"]],
    ["agent: [a, 'b', \"c\"]", "agent", ["a", "b", "c"]],
    ["format: ndjson,csv", "format", ["ndjson", "csv"]],
    ["since: 2025-08-14T09:30:00+08:00", "since", "2025-08-14T09:30:00+08:00"],
    ["shard: 1/4", "shard", { index: 1, count: 4 }],
    ["progress: false", "progress", false],
    ["csv-guard: no", "csv-guard", false],
    ["archive: false", "archive", false],
    ['archive: "no"', "archive", "no"],
    ["quiet: true", "quiet", true],
    ["status: >-\n  Finished", "status", "Finished"],
    ["\ufeffprofile: me\r\nregion: cn-beijing\r\n", "profile", "me"],
    ['{\n\t"profile": "m\\u0065",\n\t"agents": ["x"]\n}', "profile", "me"],
  ])("%j is a %s of %j", async (text, key, value) => {
    const place = placeWith({ "c.yaml": text });
    expect(await shownOf(place, key, ["--config", "c.yaml"])).toEqual({
      value,
      from: "file",
      file: "c.yaml",
      line: 1 + (text.startsWith("{") ? 1 : 0),
    });
  });

  test("an empty file, or one with only comments, sets nothing", async () => {
    for (const text of ["", "# limit: 3\n", "---\n", "{}"])
      expect(await shownOf(placeWith({ "c.yaml": text }), "limit", ["--config", "c.yaml"])).toEqual({
        value: null,
        from: "default",
      });
  });

  test("the environment can undo what the file turned on or off", async () => {
    const place = placeWith({ [USUAL]: "archive: false\nprogress: false\nnew: true\n" });
    const env = { CALLARCHIVE_NO_ARCHIVE: "false", CALLARCHIVE_NO_PROGRESS: "no", CALLARCHIVE_NEW: "0" };
    expect(await shownOf(place, "archive", [], env)).toMatchObject({ value: "callarchive.db", from: "env" });
    expect(await shownOf(place, "progress", [], env)).toMatchObject({ value: true, from: "env" });
    expect(await shownOf(place, "new", [], env)).toMatchObject({ value: false, variable: "CALLARCHIVE_NEW" });
  });

  test("a setting that conflicts with the command line is ignored", async () => {
    const place = placeWith({ [USUAL]: "verbose: true\nshow:\n  raw: true\n" });
    const cloud = await place.cloud({ calls: 1 });
    const [id = ""] = cloud.ids();
    expect((await place.runHere(["export", id, "-q"])).stderr).toBe("");
    expect(JSON.parse((await place.runHere(["show", id, "--json"])).stdout)).toMatchObject({ id });
    expect((await place.runHere(["show", id])).stdout).toBe(Buffer.from(cloud.callLog(id) ?? []).toString());
  });
});

describe("the file", () => {
  test("is the one in --config, else in CALLARCHIVE_CONFIG, else in XDG_CONFIG_HOME, else in ~/.config; yaml, yml or json", async () => {
    const place = placeWith({
      "named.yaml": "limit: 1",
      "variable.yaml": "limit: 2",
      "xdg/callarchive/config.yml": "limit: 3",
      ".config/callarchive/config.json": '{"limit": 4}',
    });
    const XDG_CONFIG_HOME = place.path("xdg");
    const CALLARCHIVE_CONFIG = "variable.yaml";
    const limit = async (args: string[], env: Record<string, string>): Promise<unknown> =>
      (await shownOf(place, "limit", args, env)).value;
    expect(await limit(["--config", "named.yaml"], { XDG_CONFIG_HOME, CALLARCHIVE_CONFIG })).toBe(1);
    expect(await limit([], { XDG_CONFIG_HOME, CALLARCHIVE_CONFIG })).toBe(2);
    expect(await limit([], { XDG_CONFIG_HOME })).toBe(3);
    expect(await limit([], { XDG_CONFIG_HOME: "relative" })).toBe(4);
    expect(await limit(["--no-config"], { CALLARCHIVE_CONFIG })).toBe(null);
    expect(await limit([], { CALLARCHIVE_CONFIG, CALLARCHIVE_NO_CONFIG: "1" })).toBe(null);
    const path = await place.run(["config", "path"], { env: { XDG_CONFIG_HOME } });
    expect(path).toEqual({ code: 0, stdout: `${place.path("xdg/callarchive/config.yml")}\n`, stderr: "" });
  });

  test("may be missing, unless it is named", async () => {
    const place = workplace();
    expect(await place.run(["config", "path"])).toMatchObject({ code: 0, stdout: "" });
    for (const how of [{ args: ["--config", "no.yaml"] }, { args: [], env: { CALLARCHIVE_CONFIG: "no.yaml" } }]) {
      const ran = await place.runHere(["status", ...how.args], how.env ? { env: how.env } : {});
      expect([ran.code, ran.stderr]).toEqual([2, "callarchive: There is no config file at no.yaml.\n"]);
    }
  });

  test("does not affect help, completion and config path, even if it is wrong", async () => {
    const place = placeWith({ [USUAL]: "formt: [" });
    for (const args of [["--help"], ["export", "--help"], ["completion", "bash"], ["config", "path"]])
      expect((await place.run(args)).code).toBe(0);
    expect((await place.runHere(["status"])).stderr).toContain("config.yaml:1");
  });

  test.each([
    ["a folder", ["--config", "."], "is a folder"],
    ["more than 1 MB", ["--config", "large.yaml"], "larger than 1 MB"],
    ["no text", ["--config", "binary.yaml"], "not UTF-8"],
    ["endless", ["--config", "/dev/zero"], "larger than 1 MB"],
  ])("is refused when it is %s", async (_, args, words) => {
    const place = placeWith({ "large.yaml": `#${" ".repeat(1e6)}`, "binary.yaml": Buffer.from([0xff, 0xfe, 0x61]) });
    const ran = await place.runHere(["status", ...args]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe("an error has its line, its key, and the probable correction", () => {
  test.each([
    ["\nformt: csv", 'c.yaml:2: unknown key "formt" (did you mean "format"?)'],
    ["minTurns: 3", 'c.yaml:1: unknown key "minTurns" (did you mean "min-turns"?)'],
    ["MIN_TURNS: 3", 'c.yaml:1: unknown key "MIN_TURNS" (did you mean "min-turns"?)'],
    ["no-progress: true", 'c.yaml:1: unknown key "no-progress" (write "progress: false")'],
    ["exprot:\n  limit: 3", 'c.yaml:1: unknown key "exprot" (did you mean "export"?)'],
    ["export:\n  limt: 3", 'c.yaml:2: unknown key "limt" (did you mean "limit"?)'],
    ["pull:\n  format: csv", 'c.yaml:2: "format" is not a flag of pull, but of export.'],
    ["export: csv", "c.yaml:1: export: write the flags of this command on indented lines below it."],
    ["limit:\n  most: 3", "c.yaml:1: limit: write a value, not a mapping."],
    ["zzzzzzzz: 1", 'c.yaml:1: unknown key "zzzzzzzz"; "callarchive export --help" lists the flags.'],
    ["config: other.yaml", "c.yaml:1: config: a config file cannot name another config file."],
    ["completion:\n  quiet: true", 'c.yaml:1: unknown key "completion"'],
    ["limit: 1\nlimit: 2", "c.yaml:2: limit: already set on line 1."],
    ["agent: a\nagents: [b]", "c.yaml:2: agents: already set on line 1."],
    ["\n\nlimit: 0", "c.yaml:3: limit: Write a whole number, 1 or more."],
    ["limit: [1, 2]", "c.yaml:1: limit: Write one value, not a list."],
    ["limit:", "c.yaml:1: limit: The value is missing."],
    ["limit: null", "c.yaml:1: limit: The value is missing."],
    ["agents: []", "c.yaml:1: agents: The value is missing."],
    ["quiet: maybe", "c.yaml:1: quiet: Write true or false."],
    ["color: red", "c.yaml:1: color: Allowed choices are auto, never, always."],
    ["- limit", "c.yaml:1: Write lines of `flag: value`."],
    ["limit", "c.yaml:1: Write lines of `flag: value`."],
    ["limit: 1\n---\nlimit: 2", "c.yaml:2: The file has two documents"],
    ["region: &r x\nprofile: *r", "c.yaml:2: *r: aliases are not followed"],
    ["limit: !!int 3", "c.yaml:1: Unresolved tag"],
    ['{"limit": 3,,}', "c.yaml:1: "],
    ["region: a\n  b: c", "c.yaml:1: Nested mappings are not allowed"],
  ])("%j", async (text, message) => {
    expect((await refusal(text))[0]).toContain(`callarchive: ${message}`);
  });

  test("all errors are printed at once", async () => {
    const place = placeWith({ "c.yaml": "formt: csv\nlimt: 3\npull:\n  tzz: UTC\n" });
    const ran = await place.run(["config", "show", "--config", "c.yaml"]);
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr.trimEnd().split("\n")).toEqual([
      'callarchive: c.yaml:1: unknown key "formt" (did you mean "format"?)',
      'c.yaml:2: unknown key "limt" (did you mean "limit"?)',
      'c.yaml:4: unknown key "tzz" (did you mean "tz"?)',
    ]);
  });

  test("in JSON, if messages are JSON", async () => {
    const place = placeWith({ "c.yaml": "formt: csv" });
    const ran = await place.runHere(["status", "--config", "c.yaml", "--log-format", "json"]);
    expect(ran.code).toBe(2);
    expect(parseLines(ran.stderr).at(-1)).toMatchObject({ message: expect.stringContaining("c.yaml:1: unknown key") });
  });

  test("a wrong value stops only the commands with this flag; config show reports all", async () => {
    const place = placeWith({ [USUAL]: "emulate:\n  port: many\n" });
    expect((await place.runHere(["status"])).stderr).toContain("There is no archive");
    expect((await place.runHere(["config", "show"])).stderr).toBe(
      `callarchive: ${place.path(USUAL)}:2: port: Write a whole number.\n`,
    );
  });

  test("a variable with almost the name of a flag is refused; any other is ignored", async () => {
    const place = workplace();
    for (const [name, meant] of [
      ["CALLARCHIVE_FORMT", "CALLARCHIVE_FORMAT"],
      ["CALLARCHIVE_MINTURNS", "CALLARCHIVE_MIN_TURNS"],
      ["CALLARCHIVE_PROGRESS", "CALLARCHIVE_NO_PROGRESS"],
      ["CALLARCHIVE_CONFIGS", "CALLARCHIVE_CONFIG"],
    ] as const) {
      const ran = await place.runHere(["status"], { env: { [name]: "1" } });
      expect([ran.code, ran.stderr]).toEqual([2, `callarchive: unknown variable ${name} (did you mean ${meant}?)\n`]);
    }
    const env = { CALLARCHIVE_DEPLOYMENT: "blue", CALLARCHIVE_FORMT: "" };
    expect((await place.runHere(["config", "show"], { env })).code).toBe(0);
  });

  test("the error for a wrong variable has its name, but not its password", async () => {
    const env = { CALLARCHIVE_LIMIT: "postgres://me:hunter2@db/x" };
    const ran = await workplace().run(["export", "x"], { env });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("CALLARCHIVE_LIMIT is invalid")]);
    expect(ran.stderr).not.toContain("hunter2");
  });

  test("credentials are refused in any place, and not printed", async () => {
    const id = "LTAI5tExampleExample";
    for (const text of [
      "access-key-id: abcdef",
      "accessKeySecret: abcdef",
      "ALIBABA_CLOUD_ACCESS_KEY_SECRET: abcdef",
      "password: abcdef",
      "security_token: abcdef",
      `profile: ${id}`,
    ]) {
      const [line = ""] = await refusal(`export:\n  ${text}\n`);
      expect(line).toContain("c.yaml:2: ");
      expect(line).toContain("credentials do not belong in this file");
      expect(line).not.toMatch(/abcdef|LTAI/);
    }
  });
});

describe("a hostile file", () => {
  // Deeper than any stack; in the soak as many as fit into the file.
  const many = SOAK ? 100_000 : 20_000;
  test.each([
    ["lists", `agents: ${"[".repeat(many)}${"]".repeat(many)}`],
    ["brackets never closed", "[".repeat(5000)],
    ["mappings", "{a: ".repeat(many)],
    ["dashes", "- ".repeat(many)],
    ["question marks", "? ".repeat(many)],
    ["stairs", Array.from({ length: 1000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n")],
  ])("of deep %s is refused before it is parsed", async (_, text) => {
    expect(await refusal(text)).toEqual([expect.stringMatching(/c\.yaml:\d+: The nesting is too deep\.$/)]);
  });

  test.each([
    ["a bomb of aliases", `a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nagents: [*c,*c]`],
    ["many aliases", `region: &a x\nagents: [${"*a,".repeat(many)}]`],
    ["very many keys", Array.from({ length: SOAK ? 60_000 : 15_000 }, (_, at) => `k${at}: 1`).join("\n")],
    ["very many agents", `agents: [${"a,".repeat(many)}]`],
    ["many wrong keys", Array.from({ length: 900 }, (_, at) => `k${at}: 1`).join("\n")],
    ["one very long key", `${"k".repeat(900_000)}: 1`],
    ["anchors", "&a ".repeat(many)],
  ])("with %s is refused, soon and without falling over", async (_, text) => {
    const lines = await refusal(text);
    expect(lines[0]).toMatch(/^callarchive: c\.yaml:\d+: /);
  });
});

describe("config show", () => {
  test("prints every flag's value and where it comes from", async () => {
    const place = placeWith({ "c.yaml": "min-duration: 90s\npull:\n  tz: UTC\n" });
    const env = { CALLARCHIVE_RETRIES: "3" };
    const ran = await place.run(["config", "show", "pull", "--config", "c.yaml"], { env });
    expect(ran.code).toBe(0);
    const lines = ran.stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(lines).toContainEqual(["FLAG", "VALUE", "FROM"]);
    expect(lines).toContainEqual(["retries", "3", "CALLARCHIVE_RETRIES"]);
    expect(lines).toContainEqual(["tz", "UTC", "c.yaml:3"]);
    expect(lines).toContainEqual(["max-document-size", "64MB", "default"]);
    expect(lines).toContainEqual(["limit", "(unset)", "default"]);
    const all = await place.runHere(["config", "show", "--config", "c.yaml"]);
    expect(all.stdout).toMatch(/^min-duration +90s +c\.yaml:1 +export/m);
    expect(all.stdout).toMatch(/^color +auto +default +all$/m);
    expect((await place.runHere(["config", "show", "exprot"])).code).toBe(2);
  });

  test("never shows a secret, in any kind of setting", async () => {
    const place = placeWith({ "c.yaml": "archive: postgres://me:pa/ss@w0rd@db/calls?password=hunter2&x=1\n" });
    const env = {
      CALLARCHIVE_ENDPOINT: "http://user:hunter3@127.0.0.1:8080",
      CALLARCHIVE_PROFILE: "LTAI5tExampleExample",
    };
    for (const json of [[], ["--json"]]) {
      const ran = await place.runHere(["config", "show", "--config", "c.yaml", ...json], { env });
      expect(ran.code).toBe(0);
      expect(ran.stdout).toContain("postgres://***@db/calls?password=***&x=1");
      expect(ran.stdout).toContain("http://***@127.0.0.1:8080");
      expect(ran.stdout).not.toMatch(/pa\/ss|w0rd|hunter|LTAI5t/);
    }
  });
});
