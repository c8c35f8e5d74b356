import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const faults = { error: 0.05, expire: 0.1, cut: 0.05, throttle: 0.02, reset: 0.02 };

/** Every archive has an id of its own. */
const ID = /"archive": "[0-9a-f]{32}"/;

/** Everything in a folder: names and contents, but for the archive's id. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "latin1").replace(ID, "")]),
  );

/** Counts the requests that the emulator has answered, and calls back at one of them. */
const counter = () => {
  let seen = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached = (): unknown => undefined;
  return {
    count: (): void => {
      seen += 1;
      if (seen === wanted) reached();
    },
    at: (n: number, work: () => unknown): void => {
      wanted = n;
      reached = work;
    },
    /** Begins again from 0, and gives what was counted. */
    reset: (): number => {
      const before = seen;
      seen = 0;
      wanted = Number.POSITIVE_INFINITY;
      return before;
    },
  };
};

/** How many calls a run that was killed had committed. Looked at in a copy: opening the archive would mend it. */
const committed = (place: Workplace): number => {
  const copy = mkdtempSync(join(tmpdir(), "killed-"));
  try {
    for (const end of ["", "-wal"])
      if (existsSync(place.path(`callarchive.db${end}`)))
        copyFileSync(place.path(`callarchive.db${end}`), join(copy, `archive.db${end}`));
    if (!existsSync(join(copy, "archive.db"))) return 0;
    const db = new Database(join(copy, "archive.db"));
    try {
      return (db.prepare("select count(*) as n from items where state = 'fetched'").get() as { n: number }).n;
    } catch {
      // Killed before it had tables.
      return 0;
    } finally {
      db.close();
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
};

/** A run that writes three formats, of the calls of one agent. */
const prepared = async (calls: number, ...flags: string[]) => {
  const place = workplace();
  const requests = counter();
  const cloud = await place.cloud({ calls, agents: 1, faults, log: requests.count });
  const args = ["export", "--agent", cloud.agents[0] ?? "", ...WEEK, "-f", "ndjson,raw", "-o", "out/", "-q", ...flags];
  expect((await place.runHere(args)).code).toBe(0);
  const whole = contents(place.path("out"));
  expect(Object.keys(whole).length).toBe(calls + 3);
  expect(readFileSync(place.path("out", "manifest.json"), "utf8")).toMatch(ID);
  const again = (): void => {
    for (const name of readdirSync(place.folder)) rmSync(place.path(name), { recursive: true });
  };
  return { place, args, whole, again, requests };
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

/** The same command again, started anew or in this process, ends well and gives the same files. */
const finish = async (
  place: Workplace,
  args: string[],
  whole: Record<string, string>,
  what: string,
  how: "run" | "runHere" = "runHere",
): Promise<void> => {
  const ran = await place[how](args);
  expect({ what, code: ran.code, stderr: ran.code === 0 ? "" : ran.stderr }).toEqual({ what, code: 0, stderr: "" });
  const found = contents(place.path("out"));
  expect({ what, names: Object.keys(found) }).toEqual({ what, names: Object.keys(whole) });
  for (const [name, content] of Object.entries(whole)) expect(found[name] === content, `${what}: ${name}`).toBe(true);
};

describe("a run that is killed, and the same command after it, give what an uninterrupted run gives", () => {
  test("kill -9 before and after every commit, flush and rename in turn", async () => {
    const { place, args, whole, again } = await prepared(SOAK ? 10 : 2, "--concurrency", "1");
    again();
    await place.run(args, { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n");
    expect(new Set(points)).toEqual(new Set(["commit", "write", "sync", "rename"]));
    for (let at = 1; at <= points.length; at += 1) {
      // The raw files are all alike: of their points, every thirteenth. Of the others and of the commits, every second.
      const isRaw = points[at - 1] !== "commit" && at < points.length - 14;
      if (!SOAK && at % (isRaw ? 13 : 2) !== 0) continue;
      again();
      const how = Math.floor(at / 2) % 2 === 0 ? "kill" : "kill-after";
      const killed = await faulted(place, args, at, points.length, how);
      if (killed) expect(killed.code).toBe(null);
      await finish(place, args, whole, `${how} ${at} of ${points.length}, ${points[at - 1]}`);
    }
  }, 600_000);

  test("kill -9 and SIGTERM at random requests, in the middle of a run that has committed", async () => {
    const { place, args, whole, again, requests } = await prepared(60, "--concurrency", "1");
    const total = requests.reset();
    const rounds = SOAK ? 100 : 3;
    let inTheMiddle = 0;
    for (let round = 0; round < rounds; round += 1) {
      again();
      requests.reset();
      const signal = round % 3 === 2 ? "SIGTERM" : "SIGKILL";
      // Spread over the second half: the first commits lie before it.
      const at = Math.ceil(total * (0.5 + (0.5 * ((round * 5) % rounds)) / rounds));
      const killed = await place.run(args, { started: (child) => requests.at(at, () => child.kill(signal)) });
      expect([null, 0, 143]).toContain(killed.code);
      if (killed.code !== 0 && committed(place) > 0 && !existsSync(place.path("out", "manifest.json")))
        inTheMiddle += 1;
      await finish(place, args, whole, `${signal} at request ${at} of about ${total}`, "run");
    }
    // Else this test would try nothing. How many requests a run needs is not quite the same each time.
    expect(inTheMiddle).toBeGreaterThanOrEqual(rounds * 0.6);
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
      for (let at = how === "EIO" ? 2 : 1; at <= points; at += SOAK ? 1 : how === "EIO" ? 27 : 18) {
        again();
        const failed = await faulted(place, args, at, points, how);
        if (failed) expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(how)]);
        const left = readdirSync(place.folder, { recursive: true }).map(String);
        expect(left.filter((name) => name.endsWith(".part"))).toEqual([]);
        await finish(place, args, whole, `${how} at ${at} of ${points}`);
      }
    },
    600_000,
  );
});
