import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const has = (shell: Shell): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

/** A place with the shell's script, and some files to be found. */
const placeWith = async (shell: Shell): Promise<Workplace> => {
  const place = workplace();
  const ran = await place.runHere(["completion", shell]);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  writeFileSync(place.path("script"), ran.stdout);
  writeFileSync(place.path("ids.txt"), "");
  writeFileSync(place.path("a file.txt"), "");
  mkdirSync(place.path("a folder"));
  return place;
};

const shell = (place: Workplace, name: Shell, args: readonly string[]): string[] => {
  const { status, stdout, stderr } = spawnSync(name, args, {
    cwd: place.folder,
    // Without it, fish finds nothing in a folder whose name is not ASCII.
    env: { ...place.environment(), LC_ALL: "C.UTF-8" },
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((line) => line !== "");
};

/** What bash offers for the last of these words, each as bash splits a line: `=` stands alone. */
const inBash = (place: Workplace, words: readonly string[]): string[] =>
  shell(place, "bash", [
    "--norc",
    "-c",
    `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _callarchive; printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
    ...words,
  ]);

const inFish = (place: Workplace, line: string): string[] =>
  shell(place, "fish", ["--no-config", "-c", `source ./script; complete -C ${JSON.stringify(line)}`]).map(
    (found) => found.split("\t")[0] ?? "",
  );

const commandsOf = async (place: Workplace): Promise<string[]> =>
  [...(await place.run(["--help"])).stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);

describe.each(SHELLS)("%s", (name) => {
  test.skipIf(!has(name))("reads the script without complaint", async () => {
    const place = await placeWith(name);
    shell(place, name, ["-n", "script"]);
    shell(
      place,
      name,
      name === "zsh" ? ["-f", "-c", "autoload -U compinit; compinit -D; source ./script"] : ["script"],
    );
  });
});

test("an unknown shell is a usage error", async () => {
  const ran = await workplace().runHere(["completion", "tcsh"]);
  expect([ran.code, ran.stdout, ran.stderr]).toEqual([2, "", expect.stringContaining("bash, zsh, fish")]);
});

test("every script names every command and every flag of its help", async () => {
  const place = workplace();
  const scripts = await Promise.all(SHELLS.map(async (name) => (await place.runHere(["completion", name])).stdout));
  const commands = await commandsOf(place);
  expect(commands).toContain("export");
  for (const command of commands) {
    for (const script of scripts) expect(script).toMatch(new RegExp(`\\b${command}\\b`));
    const flags = [...(await place.runHere([command, "--help"])).stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)];
    for (const [, flag = ""] of flags)
      for (const script of scripts) expect(script).toMatch(new RegExp(`(--|-l )${flag}\\b`));
  }
});

describe.skipIf(!has("bash"))("in bash", () => {
  test.each<[string[], string[]]>([
    [["callarchive", "ex"], ["export"]],
    [["callarchive", "--ve"], ["--version"]],
    [["callarchive", "export", "--col"], ["--color"]],
    [
      ["callarchive", "export", "--no-c"],
      ["--no-clobber", "--no-csv-guard", "--no-config"],
    ],
    [
      ["callarchive", "export", "--color", ""],
      ["auto", "never", "always"],
    ],
    [
      ["callarchive", "export", "--color", "="],
      ["auto", "never", "always"],
    ],
    [["callarchive", "export", "--color", "=", "n"], ["never"]],
    [["callarchive", "export", "--color", "never", "--rows", "t"], ["turn"]],
    [["callarchive", "export", "-f", "ndjson,c"], ["ndjson,csv"]],
    [["callarchive", "export", "--limit", ""], []],
    [["callarchive", "export", ""], []],
    [["callarchive", "export", "--ids", "i"], ["ids.txt"]],
    [["callarchive", "export", "--ids", "=", "i"], ["ids.txt"]],
    [
      ["callarchive", "export", "-o", "a"],
      ["a file.txt", "a folder"],
    ],
    [["callarchive", "demo", "-o", "a"], ["a folder"]],
    [
      ["callarchive", "check", "ids.txt", "a f"],
      ["a file.txt", "a folder"],
    ],
    [["callarchive", "list", "--state", "fe"], ["fetched"]],
    [["callarchive", "dataset", "--preset", "bailian,to"], ["bailian,together"]],
    [["callarchive", "check", "--preset", "ope"], ["openai"]],
    [["callarchive", "export", "--redact", "phone,id"], ["phone,id-card"]],
    [["callarchive", "dataset", "--tokenizer", "i"], ["ids.txt"]],
    [
      ["callarchive", "verify", "a f"],
      ["a file.txt", "a folder"],
    ],
    [["callarchive", "show", "--r"], ["--raw"]],
    [
      ["callarchive", "config", ""],
      ["show", "path"],
    ],
    [["callarchive", "config", "--json", "show", "pu"], ["pull"]],
    [["callarchive", "config", "--config", "ids.txt", "pa"], ["path"]],
    [["callarchive", "completion", "z"], ["zsh"]],
    [["callarchive", "help", "exp"], ["export"]],
    [["callarchive", "nonsense", "--"], []],
    [["callarchive", "check", "--", "--p"], []],
  ])("%j is completed with %j", async (words, candidates) => {
    expect(inBash(await placeWith("bash"), words).toSorted()).toEqual(candidates.toSorted());
  });

  test("all commands and help are offered", async () => {
    const place = await placeWith("bash");
    expect(inBash(place, ["callarchive", ""]).toSorted()).toEqual((await commandsOf(place)).toSorted());
  });
});

describe.skipIf(!has("fish"))("in fish", () => {
  test.each<[string, string[]]>([
    ["callarchive ex", ["export"]],
    ["callarchive export --col", ["--color"]],
    ["callarchive export --color ", ["always", "auto", "never"]],
    ["callarchive export --color=n", ["--color=never"]],
    ["callarchive export -f ndjson,c", ["ndjson,csv"]],
    ["callarchive export --limit ", []],
    ["callarchive export --ids i", ["ids.txt"]],
    ["callarchive demo -o a", ["a folder/"]],
    ["callarchive config ", ["path", "show"]],
    ["callarchive config show pu", ["pull"]],
    ["callarchive config show export --off", []],
    ["callarchive completion z", ["zsh"]],
  ])("%j is completed with %j", async (line, candidates) => {
    expect(inFish(await placeWith("fish"), line).toSorted()).toEqual(candidates);
  });
});
