import { writeFileSync } from "node:fs";
import type { Option } from "commander";
import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { TEMPLATE, TOKENIZER } from "../helpers/tokenizer.ts";
import { workplace } from "../helpers/workplace.ts";

/**
Flags whose words differ from command to command though they mean one thing; here is what that is.

A flag that is in this list was looked at: a setting in the config file or the environment may reach all its commands.
*/
const ONE_MEANING: Record<string, string> = {
  "--agent": "calls of these agents",
  "--chats-region": "the region of the event bus of chats",
  "--error-file": "what could not be stored, as NDJSON",
  "--json": "JSON on standard output",
  "--max-characters": "only rows with at most so many characters in all texts together",
  "--min-duration": "only calls at least this long",
  "--min-turns": "only calls with at least so many turns",
  "--offline": "do not contact the cloud",
  "--output": "where the data goes",
  "--port": "where a server listens; 0 takes a free port",
  "--preset": "a trainer's kind of file",
  "--source": "of these sources",
  "--state": "only calls in this state; what can be acknowledged is in three of them",
  "--seed": "where chance begins: the same seed gives the same result",
};

/** What says the same to every flag that takes it. */
const SAMPLES = ["7", "90s", "2d", "a,b", "x", "1/2", "64MB", "UTC", "auto", "phone", "messages"];

const byName = async (): Promise<Map<string, { command: string; option: Option }[]>> => {
  const found = new Map<string, { command: string; option: Option }[]>();
  for (const { name, load } of commands)
    for (const option of Object.values((await load()).options).flat())
      found.set(option.long ?? "", [...(found.get(option.long ?? "") ?? []), { command: name, option }]);
  return found;
};

/** What a flag makes of texts, and what kind of flag it is: all that a setting for several commands depends on. */
const nature = ({ short, required, optional, negate, argChoices, parseArg }: Option) => ({
  short,
  takesValue: required || optional,
  negate,
  argChoices,
  values: SAMPLES.map((text) => {
    try {
      return parseArg && !argChoices ? parseArg(text, undefined as never) : text;
    } catch {
      return "refused";
    }
  }),
});

describe("one flag name means one thing", () => {
  test("flags of one name have one description, except those that were reviewed", async () => {
    const several = [...(await byName())].filter(([, uses]) => uses.length > 1);
    const differing = several
      .filter(([, uses]) => new Set(uses.map(({ option }) => option.description)).size > 1)
      .map(([name]) => name);
    expect(differing.toSorted()).toEqual(Object.keys(ONE_MEANING).toSorted());
  });

  test("flags of one name read the same value from the same text", async () => {
    const differing: string[] = [];
    for (const [name, uses] of await byName()) {
      const kinds = new Set(uses.map(({ option }) => JSON.stringify(nature(option))));
      if (kinds.size > 1) differing.push(name);
    }
    // The emulator's seed is a number, a data set's any text; check knows the presets one at a time.
    expect(differing.toSorted()).toEqual(["--preset", "--seed", "--state"]);
  });

  test("a run limit in the config file does not drop long calls from a data set", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4 });
    await place.runHere(["pull", ...cloud.ids()]);
    const env = { CALLARCHIVE_MAX_DURATION: "1s" };
    const ran = await place.run(["dataset", "-o", "set", "--min-turns", "1", "--log-format", "json"], { env });
    expect(ran.code).toBe(0);
    const reasons = place.rows("set", "dropped.ndjson").map(({ reason }) => reason);
    expect(reasons).not.toContain("max-duration");
    const filtered = await place.runHere(["dataset", "-o", "short", "--max-call-duration", "1s"]);
    expect(filtered.code).toBe(0);
    expect(place.rows("short", "dropped.ndjson").map(({ reason }) => reason)).toContain("max-duration");
  });
});

test("--tokenizer alone counts tokens, and drops nothing", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 6 });
  await place.runHere(["pull", ...cloud.ids()]);
  writeFileSync(place.path("tokenizer.json"), JSON.stringify(TOKENIZER));
  writeFileSync(place.path("tokenizer_config.json"), JSON.stringify({ chat_template: TEMPLATE }));
  expect((await place.runHere(["dataset", "-o", "plain"])).code).toBe(0);
  expect((await place.run(["dataset", "-o", "counted", "--tokenizer", "tokenizer.json"])).code).toBe(0);
  expect(place.rows("counted", "dropped.ndjson")).toEqual(place.rows("plain", "dropped.ndjson"));
  const samples = place.rows<{ tokens?: number }>("counted", "provenance.ndjson");
  expect(samples.length).toBeGreaterThan(0);
  for (const { tokens } of samples) expect(tokens).toBeGreaterThan(0);
  const { policies, tokens } = JSON.parse(place.read("counted", "report.json"));
  expect(policies).toMatchObject({ tokenizer: "a tokenizer.json" });
  expect(tokens).toBe(samples.reduce((sum, sample) => sum + (sample.tokens ?? 0), 0));
});

test("-q and -v together are a usage error; from different places, the earlier place wins", async () => {
  const place = workplace();
  const ran = await place.runHere(["list", "-q", "-v"]);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("cannot be used with")]);
  const shown = await place.run(["config", "show", "list", "--json"], { env: { CALLARCHIVE_VERBOSE: "1" } });
  expect(shown.code).toBe(0);
});

test("help wraps at the width of the terminal", async () => {
  const place = workplace();
  for (const args of [["--help"], ["help"], ["check", "--help"], ["dataset", "--help"]])
    for (const [columns, most] of [
      ["80", 80],
      ["64", 64],
      ["500", 110],
    ] as const) {
      const env = { COLUMNS: columns };
      // The first is answered with what was written down when the program was built, if it has that width.
      const { stdout, code } = await (args[0] === "--help" ? place.run(args, { env }) : place.runHere(args, { env }));
      expect(code).toBe(0);
      // Commands to copy are never broken, and neither are words.
      const mayBreak = (line: string): boolean => !/^ {2}[$#] /.test(line) && /\S \S/.test(line);
      const long = stdout.split("\n").filter((line) => line.length > most && mayBreak(line));
      expect([args, columns, long]).toEqual([args, columns, []]);
    }
  const built = await place.run(["--help"], { env: { COLUMNS: "80" } });
  expect(built.stdout).toBe((await place.run(["help"], { env: { COLUMNS: "80" } })).stdout);
});
