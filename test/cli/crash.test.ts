import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

/** `npm run soak` asks for more rounds than every test run can afford. */
const SOAK = process.env.SOAK === "1";
const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const faults = { error: 0.05, expire: 0.1, cut: 0.05, throttle: 0.02, reset: 0.02 };

/** Everything in a folder: names and contents. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "base64")]),
  );

/** A run that writes three formats, of the calls of one agent. */
const prepared = async (calls: number, ...flags: string[]) => {
  const place = workplace();
  const cloud = await place.cloud({ calls, agents: 1, faults });
  const args = ["export", "--agent", cloud.agents[0] ?? "", ...WEEK, "-f", "ndjson,raw", "-o", "out/", "-q", ...flags];
  expect((await place.run(args)).code).toBe(0);
  const whole = contents(place.path("out"));
  expect(Object.keys(whole).length).toBe(calls + 3);
  const again = (): void => {
    for (const name of readdirSync(place.folder)) rmSync(place.path(name), { recursive: true });
  };
  return { place, args, whole, again };
};

/** How many commits there are is a matter of time too: so many points less than in another run are no surprise. */
const FEWER = 4;

/** A run with a fault at its n-th point of about so many; undefined when it did not come to that. */
const faulted = async (place: Workplace, args: string[], at: number, of: number, how: string) => {
  const log = place.path("passed");
  const ran = await place.run(args, {
    env: faulty({ FAULTY_LOG: log, FAULTY_AT: String(at), FAULTY_HOW: how }),
  });
  const passed = readFileSync(log, "utf8").trim().split("\n").length;
  rmSync(log);
  if (passed >= at) return ran;
  expect([ran.code, passed > of - FEWER]).toEqual([0, true]);
  return undefined;
};

const finish = async (place: Workplace, args: string[], whole: Record<string, string>, what: string): Promise<void> => {
  const ran = await place.run(args);
  expect({ what, code: ran.code, stderr: ran.code === 0 ? "" : ran.stderr }).toEqual({ what, code: 0, stderr: "" });
  const found = contents(place.path("out"));
  expect({ what, names: Object.keys(found) }).toEqual({ what, names: Object.keys(whole) });
  for (const [name, content] of Object.entries(whole)) expect(found[name] === content, `${what}: ${name}`).toBe(true);
};

describe("a run that is killed, and the same command after it, give what an uninterrupted run gives", () => {
  test("kill -9 before and after every commit, flush and rename in turn", async () => {
    const { place, args, whole, again } = await prepared(SOAK ? 10 : 5, "--concurrency", "1");
    again();
    await place.run(args, { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n");
    expect(new Set(points)).toEqual(new Set(["commit", "write", "sync", "rename"]));
    for (let at = 1; at <= points.length; at += 1) {
      // The raw files are all alike: of their points, every fourth.
      if (!SOAK && points[at - 1] !== "commit" && at < points.length - 14 && at % 4 !== 0) continue;
      again();
      const how = at % 2 === 0 ? "kill" : "kill-after";
      const killed = await faulted(place, args, at, points.length, how);
      if (killed) expect(killed.code).toBe(null);
      await finish(place, args, whole, `${how} ${at} of ${points.length}, ${points[at - 1]}`);
    }
  }, 600_000);

  test("kill -9 and SIGTERM at random instants", async () => {
    const { place, args, whole, again } = await prepared(40);
    for (let round = 0; round < (SOAK ? 100 : 9); round += 1) {
      again();
      const signal = round % 3 === 2 ? "SIGTERM" : "SIGKILL";
      const after = 150 + ((round * 137) % 600);
      let timer: NodeJS.Timeout | undefined;
      const killed = await place.run(args, {
        started: (child) => {
          timer = setTimeout(() => child.kill(signal), after);
        },
      });
      clearTimeout(timer);
      expect([null, 0, 143]).toContain(killed.code);
      await finish(place, args, whole, `${signal} after ${after} ms`);
    }
  }, 600_000);
});

describe("when a write fails", () => {
  test.each(["ENOSPC", "EIO"])(
    "%s at each write in turn: exit 1, no part left, and the same command works",
    async (how) => {
      const { place, args, whole, again } = await prepared(2);
      again();
      await place.run(args, { env: faulty({ FAULTY_LOG: place.path("points") }) });
      const points = place.read("points").trim().split("\n").length;
      for (let at = how === "EIO" ? 2 : 1; at <= points; at += SOAK ? 1 : how === "EIO" ? 8 : 4) {
        again();
        const failed = await faulted(place, args, at, points, how);
        if (failed) expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(how)]);
        const left = readdirSync(place.folder, { recursive: true }).map(String);
        expect(left.filter((name) => name.endsWith(".part"))).toEqual([]);
        await finish(place, args, whole, `${how} at ${at} of ${points}`);
      }
    },
    120_000,
  );
});
