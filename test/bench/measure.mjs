import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Whole processes, as their user waits for them: wall-clock time, CPU time of all threads, peak memory.

const GNU = "/usr/bin/time";
const PYTHON = `
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
scale = 1024 if sys.platform == "darwin" else 1
open(sys.argv[1], "w").write("%f %f %d" % (used.ru_utime, used.ru_stime, used.ru_maxrss / scale))
sys.exit(code)`;

const works = (command, args) => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** Whether a program is on the path. */
export const has = (command) => works("sh", ["-c", `command -v ${command}`]);

/** What wraps a command so that its use of the machine ends up in `file`. */
const wrapper = (() => {
  if (existsSync(GNU) && works(GNU, ["-f", "%U", "true"])) return (file) => [GNU, "-f", "%U %S %M", "-o", file];
  if (has("python3")) return (file) => ["python3", "-c", PYTHON, file];
  return undefined;
})();

export const usageKnown = wrapper !== undefined;

/**
Runs a command to its end. Its stdout is thrown away, its stderr shown when it fails.

@param command {{ args: string[], env?: Record<string, string>, cwd?: string, bare?: boolean }} `bare`: its time alone
@returns {Promise<{ wall: number, cpu?: number, rss?: number }>} in seconds and MB
*/
export const measured = async ({ args, env, cwd, bare = false }) => {
  const file = join(tmpdir(), `bench-usage-${process.pid}`);
  const talk = `${file}.stderr`;
  const [program, ...rest] = bare || !wrapper ? args : [...wrapper(file), ...args];
  const begun = process.hrtime.bigint();
  const stderr = openSync(talk, "w");
  const code = await new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd, env: env ?? process.env, stdio: ["ignore", "ignore", stderr] });
    child.on("error", reject);
    child.on("exit", resolve);
  });
  closeSync(stderr);
  const wall = Number(process.hrtime.bigint() - begun) / 1e9;
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${readFileSync(talk, "utf8").slice(0, 2000)}`);
  rmSync(talk);
  if (bare || !wrapper) return { wall };
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(file, "utf8").trim().split(" ").map(Number);
  rmSync(file);
  return { wall, cpu: user + system, rss: kilobytes / 1024 };
};

/** Of at least one number. */
export const spread = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return { median: middle, min: sorted[0], max: sorted.at(-1) };
};

/**
Runs contenders in turn, `runs` times, every other time in reverse: A B C, C B A, … so that a machine that gets slower
or busier does so for all of them.

@param contenders {{ name: string, before?(): unknown, command(): object, scale?: number }[]} `scale`: what it did is
  that part of the work; its times are multiplied
*/
export const interleaved = async (contenders, runs, tell) => {
  const results = new Map(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round += 1) {
    for (const { name, before, command, scale = 1 } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      await before?.();
      const { wall, cpu, rss } = await measured(command());
      results.get(name).push({ wall: wall * scale, ...(cpu !== undefined && { cpu: cpu * scale, rss }) });
      tell(`${name}, round ${round + 1} of ${runs}: ${wall.toFixed(2)} s`);
    }
  }
  return Object.fromEntries([...results].map(([name, rounds]) => [name, summed(rounds)]));
};

/** Of the same command, several times. */
export const summed = (rounds) => {
  const of = (key) => spread(rounds.map((round) => round[key]));
  return { wall: of("wall"), ...(rounds[0].cpu !== undefined && { cpu: of("cpu"), rss: of("rss") }), rounds };
};

/** How many times faster `ours` is than `rival`, round by round; with `key` "cpu", how many times less work it makes. */
export const ratio = (ours, rival, key = "wall") => {
  if (!ours[key] || !rival[key]) return undefined;
  return spread(ours.rounds.map((round, at) => rival.rounds[at][key] / round[key]));
};
