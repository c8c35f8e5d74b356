import { execFileSync, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { parseLines, type Ran, type Workplace, workplace } from "../helpers/workplace.ts";

const BIN = new URL("../../bin/callarchive.js", import.meta.url).pathname;

/** A workplace whose archive holds some calls, and the cloud that they came from. */
const stored = async (calls = 3) => {
  const place = workplace();
  const cloud = await place.cloud({ calls, agents: 1 });
  expect((await place.runHere(["pull", ...cloud.ids()])).code).toBe(0);
  return { place, cloud };
};

/** A line of bash, `$CA` being the command. Nothing that hangs outlives it. */
const shell = (place: Workplace, line: string): Promise<Ran> =>
  new Promise((done) => {
    const child = spawn("bash", ["-c", line], {
      cwd: place.folder,
      env: { ...place.environment(), CA: `${process.execPath} ${BIN}` },
    });
    const ran: Ran = { code: null, stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (ran.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (ran.stderr += text));
    child.on("close", (code) => done({ ...ran, code }));
  });

describe("-o names something that is not a file", () => {
  test("of the shell: /dev/stdout, a process substitution, a descriptor", async () => {
    const { place } = await stored();
    const piped = await shell(place, "$CA export --offline -q -o /dev/stdout | cat");
    expect(parseLines(piped.stdout)).toHaveLength(3);
    // Node gives a socket where a shell gives a pipe.
    const socket = await place.run(["export", "--offline", "-q", "-f", "csv", "-o", "/dev/stdout"]);
    expect([socket.code, socket.stdout.slice(0, 8)]).toEqual([0, "call_id,"]);
    // What is in the file already stays: it is the shell's.
    await shell(place, "{ echo first; $CA export --offline -q -o /dev/stdout; } > kept.txt");
    expect(place.read("kept.txt").split("\n")).toHaveLength(5);
    await shell(place, "$CA export --offline -q -o /dev/fd/3 3> third.txt");
    expect(parseLines(place.read("third.txt"))).toHaveLength(3);
    // The shell waits for what it substitutes: its output is the line's.
    const substituted = await shell(place, "{ $CA export --offline -q -o >(cat >&4); } 4>&1 | cat");
    expect([substituted.stderr, parseLines(substituted.stdout).length]).toEqual(["", 3]);
  });

  test("a place in /proc where nothing can be created is an error at once, for each flag", async () => {
    const { place, cloud } = await stored(1);
    const commands = [
      ["export", "--offline", "-o", "/proc/x/y.csv"],
      ["export", "--offline", "-o", "/proc/x/"],
      ["pull", ...cloud.ids(), "--error-file", "/proc/x/errors.ndjson"],
      ["pull", ...cloud.ids(), "--metrics-file", "/proc/x/m.prom"],
      ["pull", ...cloud.ids(), "--archive", "/proc/x/archive.db"],
      ["dataset", "-o", "/proc/x/set"],
    ];
    for (const args of commands) {
      const ran = await place.runHere(args);
      expect({ args, code: ran.code, stderr: ran.stderr }).toEqual({
        args,
        code: 1,
        stderr: expect.stringMatching(/Cannot write to \/proc\/x|mkdir '\/proc\/x'/),
      });
    }
  });

  test("a FIFO waits for its reader and stays a FIFO; a signal ends the wait; a socket is written to", async () => {
    const { place } = await stored();
    execFileSync("mkfifo", [place.path("fifo")]);
    const read = await shell(place, "cat fifo & $CA export --offline -q -o fifo; wait");
    expect(parseLines(read.stdout)).toHaveLength(3);
    expect(lstatSync(place.path("fifo")).isFIFO()).toBe(true);
    const stopped = await place.run(["export", "--offline", "-o", "fifo"], {
      started: (child) => child.stderr?.on("data", (text) => `${text}`.includes("Waiting") && child.kill("SIGINT")),
    });
    expect([stopped.code, stopped.stderr]).toEqual([
      130,
      expect.stringMatching(/Waiting for a program that reads .*fifo\.[\s\S]*Stopped by SIGINT/),
    ]);

    let heard = "";
    const server = createServer((socket) => socket.setEncoding("utf8").on("data", (text: string) => (heard += text)));
    await new Promise<void>((listening) => server.listen(place.path("socket"), listening));
    expect((await place.run(["export", "--offline", "-q", "-o", "socket"])).code).toBe(0);
    await new Promise((closed) => server.close(closed));
    expect(parseLines(heard)).toHaveLength(3);
  });
});

describe("--error-file and --metrics-file", () => {
  test("write to devices and pipes, and through a link", async () => {
    const { place, cloud } = await stored(1);
    const isDevice = makesNodes(place);
    execFileSync("mkfifo", [place.path("fifo")]);
    mkdirSync(place.path("elsewhere"));
    writeFileSync(place.path("elsewhere", "errors"), "old");
    symlinkSync("elsewhere/errors", place.path("errors"));
    symlinkSync("elsewhere/m.prom", place.path("m.prom"));
    const linked = await place.runHere(["pull", "nobody", "-q", "--error-file", "errors", "--metrics-file", "m.prom"]);
    expect(linked.code).toBe(3);
    for (const name of ["errors", "m.prom"]) expect(lstatSync(place.path(name)).isSymbolicLink()).toBe(true);
    expect(place.rows("elsewhere", "errors")).toHaveLength(1);
    expect(place.read("elsewhere", "m.prom")).toContain("# EOF");
    const read = await shell(place, "cat fifo & $CA pull nobody -q --error-file fifo; wait");
    expect(parseLines(read.stdout).map(({ id }) => id)).toEqual(["nobody"]);
    expect(lstatSync(place.path("fifo")).isFIFO()).toBe(true);
    const shown = await place.runHere([
      "pull",
      "nobody",
      "-q",
      "--error-file",
      "/dev/stderr",
      "--metrics-file",
      "/dev/stdout",
    ]);
    expect([shown.stdout, shown.stderr]).toEqual([
      expect.stringContaining("# EOF"),
      expect.stringContaining('"nobody"'),
    ]);
    if (!isDevice) return;
    const [id = ""] = cloud.ids();
    expect(
      (await place.run(["export", id, "-q", "-o", "x.ndjson", "--error-file", "null", "--metrics-file", "null"])).code,
    ).toBe(0);
    expect(statSync(place.path("null")).isCharacterDevice()).toBe(true);
  });

  test("are checked before the work begins: a folder is exit 2, a place that cannot be written exit 1, as with -o", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    writeFileSync(place.path("file"), "x");
    const cases: [string[], number, string][] = [
      [["--error-file", "file/errors"], 1, "Cannot write to"],
      [["--metrics-file", "file/m.prom"], 1, "Cannot write to"],
      [["--error-file", "."], 2, "names a folder"],
      [["--metrics-file", "new/"], 2, "names a folder"],
    ];
    for (const [flags, code, message] of cases) {
      const ran = await place.runHere(["pull", ...cloud.ids(), ...flags]);
      expect({ flags, code: ran.code, stderr: ran.stderr }).toEqual({
        flags,
        code,
        stderr: expect.stringContaining(message),
      });
    }
    expect(cloud.stats.requests).toEqual({});
    expect(existsSync(place.path("callarchive.db"))).toBe(false);
  });
});

/** A null device of our own, where we may make one: nobody risks the machine's. */
const makesNodes = (place: Workplace): boolean => {
  try {
    execFileSync("mknod", [place.path("null"), "c", "1", "3"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

describe("what is printed", () => {
  test.skipIf(!existsSync("/dev/full"))("and cannot be written is exit 1, of every command", async () => {
    const { place, cloud } = await stored(2);
    const [id] = cloud.ids();
    const commands = [
      "status",
      "status --json",
      "list --json",
      `show ${id}`,
      "config show",
      "completion bash",
      "doctor",
      "help export",
      "--help",
      "--version",
      `forget ${id}`,
    ];
    await place.runHere(["export", "--offline", "-o", "x.ndjson"]);
    for (const command of commands) {
      const ran = await shell(place, `$CA ${command} > /dev/full`);
      expect({ command, code: ran.code, stderr: ran.stderr }).toEqual({
        command,
        code: 1,
        stderr: expect.stringMatching(/no space left/i),
      });
    }
    // Nothing to print, nothing lost.
    expect((await shell(place, "$CA verify > /dev/full")).code).toBe(0);
    writeFileSync(place.path("x.ndjson"), "");
    expect((await shell(place, "$CA verify x.ndjson > /dev/full")).code).toBe(1);
    const closed = await shell(place, "{ $CA completion bash; echo $? >&2; } | true");
    expect(closed.stderr).toBe("0\n");
  });
});
