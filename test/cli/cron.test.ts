import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { faulty } from "../helpers/faulty.ts";
import { SOAK } from "../helpers/soak.ts";
import { parseLines, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const HOUR = 3_600_000;
const START = Date.parse("2025-09-01T00:00:00Z");

/** A place whose cloud and command share a clock of their own. */
const timed = async (options: object = {}) => {
  const place = workplace();
  let at = START;
  const now = () => new Date(at);
  const cloud = await place.cloud({ calls: 0, agents: 1, now, ...options });
  const [agent = ""] = cloud.agents;
  const to = (time: number): void => {
    at = time;
  };
  const run = (args: string[], more: Record<string, string> = {}) =>
    place.run(args, { env: { ...faulty({ FAKE_TIME: String(at - Date.now()) }), ...more } });
  const runHere = (args: string[]) => place.runHere(args, { at });
  return { place, cloud, agent, run, runHere, now, to };
};

const ids = (place: Workplace, folder: string): string[] =>
  readdirSync(place.path(folder))
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => place.rows<{ id: string }>(folder, name).map(({ id }) => id));

const cursor = async (place: Workplace): Promise<string | undefined> =>
  JSON.parse((await place.runHere(["status", "--json"])).stdout).agents[0]?.cursor;

/** Calls back once, when the first call is told of as fetched: the archive is held, and work is under way. */
const whenFetching = (child: ChildProcess, act: () => void): void => {
  let acted = false;
  child.stderr?.on("data", (text) => {
    if (acted || !String(text).includes("fetched")) return;
    acted = true;
    act();
  });
};

/** Of hourly runs. */
const HOURS = SOAK ? 24 : 7;

describe("cron", () => {
  test("hourly runs, while calls arrive, end late and shift pages: each call is in exactly one part", async () => {
    const { place, cloud, agent, run, to } = await timed({ faults: { shift: 0.2, expire: 0.05, error: 0.02 } });
    const open: { id: string; start: number; until: number }[] = [];
    let seed = 7;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const add = (start: number): void => {
      const lasts = random() < 0.25 ? 2 * HOUR * random() + HOUR : 0;
      const id = cloud.add({ start: new Date(start), ...(lasts > 0 && { status: "Executing" }) });
      if (lasts > 0) open.push({ id, start, until: start + lasts });
    };
    const common = ["export", "--agent", agent, "--new", "-o", "parts/", "--log-format", "json"];
    for (let hour = 1; hour <= HOURS + 2; hour += 1) {
      const time = START + hour * HOUR;
      to(time);
      // `shift` adds calls of its own: the last runs list all that were added before.
      if (hour > HOURS) cloud.faults = { expire: 0.05, error: 0.02 };
      if (hour < HOURS) for (let n = 0; n < 6; n += 1) add(time - HOUR * random());
      // One that the service shows only now, though it began hours ago.
      if (hour % 6 === 0) add(time - 5 * HOUR * random());
      for (const call of open.filter(({ until }) => until <= time)) cloud.finish(call.id);
      for (let at = open.length - 1; at >= 0; at -= 1) if ((open[at]?.until ?? 0) <= time) open.splice(at, 1);
      const ran = await run([...common, "--since", hour === 1 ? "2025-09-01T00:00:00Z" : "last"]);
      expect([hour, ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([hour, 0, ""]);
      const settled = await cursor(place);
      const earliest = Math.min(...open.map(({ start }) => start), Number.POSITIVE_INFINITY);
      if (settled !== undefined) expect(Date.parse(settled)).toBeLessThanOrEqual(Math.min(earliest, time - 540_000));
    }
    const exported = ids(place, "parts");
    expect(exported.length).toBe(new Set(exported).size);
    const known = [...cloud.ids()];
    expect(known.length).toBeGreaterThan(HOURS * 5.8);
    expect(known.filter((id) => !exported.includes(id))).toEqual([]);
    const behind = START + (HOURS + 2) * HOUR - Date.parse((await cursor(place)) ?? "");
    expect(behind).toBeGreaterThanOrEqual(600_000 - 60_000);
    expect(behind).toBeLessThanOrEqual(600_000);
    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
  }, 180_000);

  test("a call that never ends holds back the cursor for 72 hours, and then counts as missing", async () => {
    const { place, cloud, agent, runHere, to } = await timed();
    const stuck = START + 2 * HOUR;
    cloud.add({ start: new Date(START + HOUR) });
    cloud.add({ start: new Date(stuck), status: "Executing" });
    to(START + 5 * HOUR);
    const first = await runHere(["pull", "--agent", agent, "--since", "2025-09-01T00:00:00Z", "--log-format", "json"]);
    expect(summaryOf(first)).toMatchObject({ selected: 2, fetched: 1, open: 1, exitCode: 0 });
    expect(await cursor(place)).toBe("2025-09-01T00:00:00.000Z");
    to(START + 50 * HOUR);
    const later = await runHere(["pull", "--agent", agent, "--since", "2025-09-01T00:00:00Z", "--log-format", "json"]);
    expect(summaryOf(later)).toMatchObject({ open: 1, exitCode: 0 });
    to(START + 100 * HOUR);
    const last = await runHere(["pull", "--agent", agent, "--since", "2025-09-01T00:00:00Z", "--log-format", "json"]);
    expect(summaryOf(last)).toMatchObject({ selected: 2, fetched: 1, open: 0, missing: 1, exitCode: 3 });
    expect((await cursor(place))?.slice(0, 17)).toBe(new Date(START + 100 * HOUR - 600_000).toISOString().slice(0, 17));
  });

  test("by id, too: a call that has not ended after 72 hours is missing", async () => {
    const { cloud, run, runHere, to } = await timed();
    const id = cloud.add({ start: new Date(START), status: "Executing" });
    expect((await runHere(["pull", id])).code).toBe(0);
    to(START + 80 * HOUR);
    const ran = await run(["pull", id]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("Given up")]);
  });

  test("a later start does not move the cursor, a failed call holds it back, and a limit does not move it", async () => {
    const { place, cloud, agent, runHere, to } = await timed();
    for (let hour = 0; hour < 96; hour += 6) cloud.add({ start: new Date(START + hour * HOUR) });
    const big = cloud.add({ start: new Date(START + 49 * HOUR), body: Buffer.alloc(2_000_000, 0x20) });
    to(START + 100 * HOUR);
    const since = ["--since", "2025-09-01T00:00:00Z"];
    await runHere(["pull", "--agent", agent, ...since, "--limit", "2"]);
    expect(await cursor(place)).toBeUndefined();
    const ran = await runHere(["pull", "--agent", agent, ...since, "--max-document-size", "1MB"]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("the limit of this program")]);
    expect(big).not.toBe("");
    expect(await cursor(place)).toBe("2025-09-03T00:00:00.000Z");
    await runHere(["pull", "--agent", agent, "--since", "2025-09-04T00:00:00Z"]);
    expect(await cursor(place)).toBe("2025-09-03T00:00:00.000Z");
    const healed = await runHere(["pull", "--agent", agent, "--since", "last", "--log-format", "json"]);
    expect(summaryOf(healed)).toMatchObject({ failed: 0, invalid: 1 });
  });
});

describe("--new", () => {
  test("writes only new calls to the destination, one part each time; without new calls it writes nothing", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 9 });
    const all = [...cloud.ids()];
    const args = ["--new", "-f", "ndjson,csv,messages,raw", "-o", "parts/"];
    await place.runHere(["export", ...all.slice(0, 4), ...args]);
    await place.run(["export", ...all.slice(2, 9), ...args]);
    const before = readdirSync(place.path("parts")).toSorted();
    expect(place.rows("parts", "transcripts-00001.ndjson")).toHaveLength(4);
    expect(place.rows("parts", "transcripts-00002.ndjson")).toHaveLength(5);
    const idle = await place.run(["export", ...all, ...args]);
    expect([idle.code, idle.stderr]).toEqual([0, expect.stringContaining("--new 9")]);
    expect(readdirSync(place.path("parts")).toSorted()).toEqual(before);
    const manifest = JSON.parse(place.read("parts", "manifest.json"));
    expect(manifest.parts.map(({ part }: { part: number }) => part)).toEqual([1, 2]);
    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
    // Another format of the same place is another destination.
    const other = await place.runHere(["export", ...all, "--new", "-f", "csv", "-o", "elsewhere/"]);
    expect(other.stderr).toContain("9 selected = 9 exported");
  });

  test("after a plain export it writes the calls that are missing there; a plain export does not change parts", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 6 });
    const all = [...cloud.ids()];
    await place.runHere(["export", ...all.slice(0, 4), "-o", "all.ndjson"]);
    await place.run(["export", ...all, "--new", "-o", "all.ndjson"]);
    expect(place.rows("all-00001.ndjson")).toHaveLength(2);
    const plain = await place.runHere(["export", ...all, "-o", "all.ndjson"]);
    expect([plain.code, plain.stderr]).toEqual([2, expect.stringContaining("holds parts")]);
  });

  test("killed at any point of writing a part, the next run neither repeats nor loses a call", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 8 });
    const all = [...cloud.ids()];
    await place.runHere(["pull", ...all]);
    const args = ["export", "--offline", "--new", "-f", "ndjson,csv", "-o"];
    await place.run([...args, "count/"], { env: faulty({ FAULTY_LOG: place.path("points") }) });
    const points = place.read("points").trim().split("\n");
    for (let at = 1; at <= points.length; at += SOAK ? 1 : 2) {
      const folder = `parts-${at}`;
      await place.run([...args, `${folder}/`], {
        env: faulty({ FAULTY_AT: String(at), FAULTY_HOW: Math.floor(at / 2) % 2 ? "kill" : "kill-after" }),
      });
      const ran = await place.runHere([...args, `${folder}/`]);
      expect([at, points[at - 1], ran.code]).toEqual([at, points[at - 1], 0]);
      expect({ at, ids: ids(place, folder).toSorted() }).toEqual({ at, ids: all.toSorted() });
    }
  }, 600_000);
});

describe("two runs on one archive", () => {
  test("one works, the other exits 11 and names the holder; --wait waits; readers are not blocked", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 60, latencyMs: 60 });
    const all = [...cloud.ids()];
    let resolve = (): void => {};
    const started = new Promise<void>((done) => {
      resolve = done;
    });
    const first = place.run(["pull", "-v", "-i", "-", "--concurrency", "2"], {
      input: all.join("\n"),
      started: (child) => whenFetching(child, resolve),
    });
    await started;
    const second = await place.run(["pull", all[0] ?? ""]);
    expect([second.code, second.stderr]).toEqual([
      11,
      expect.stringMatching(/Another run holds the archive: process \d+ on /),
    ]);
    expect((await place.runHere(["list"])).code).toBe(0);
    const waiting = place.run(["export", all[0] ?? "", "--wait", "1m", "-o", "one.ndjson"]);
    expect((await first).code).toBe(0);
    expect((await waiting).code).toBe(0);
  });

  test("an export during a pull neither waits nor fails, and does not affect the pull", async () => {
    const place = workplace();
    const calls = SOAK ? 3000 : 1600;
    const cloud = await place.cloud({ calls, agents: 2 });
    const [mine = "", other = ""] = cloud.agents;
    const week = ["--since", "2025-07-14", "--until", "2025-07-21"];
    await place.runHere(["pull", "--agent", mine, ...week]);
    const pulling = place.run(["pull", "--agent", other, ...week]);
    const exports = await Promise.all(
      ["a.ndjson", "b.csv"].map((file) => place.run(["export", "--offline", "--agent", mine, "-o", file])),
    );
    expect(exports.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", ""]);
    expect(await pulling).toMatchObject({ code: 0 });
    expect(place.rows("a.ndjson")).toHaveLength(calls / 2);
  });

  test("the lock of a killed run is taken over at once on the same machine, and elsewhere only after it expires", async () => {
    const { place, cloud, run, to } = await timed();
    const id = cloud.add({ start: new Date(START - HOUR) });
    await run(["pull", id], faulty({ FAULTY_AT: "4", FAKE_TIME: String(START - Date.now()) }));
    const { default: Database } = await import("libsql");
    const db = new Database(place.path("callarchive.db"));
    expect(db.prepare("select count(*) as n from lock").get()).toMatchObject({ n: 1 });
    db.exec("update lock set host = 'elsewhere'");
    db.close();
    expect((await run(["pull", id])).code).toBe(11);
    to(START + 61_000);
    expect((await run(["pull", id])).code).toBe(0);
  });

  test("a run that lost its lock writes nothing more", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 80, latencyMs: 50 });
    const { default: Database } = await import("libsql");
    const ran = await place.run(["pull", "-v", "-i", "-", "--concurrency", "2"], {
      input: [...cloud.ids()].join("\n"),
      started: (child) =>
        whenFetching(child, () => {
          const db = new Database(place.path("callarchive.db"));
          db.exec("pragma busy_timeout = 5000");
          db.exec("update lock set token = 'another'");
          db.close();
        }),
    });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining("Another run took the archive over")]);
  });
});

describe("time and signals", () => {
  test("--max-duration stops the run with exit 10, and the next run continues", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 200, latencyMs: 40 });
    const args = ["export", "-i", "-", "--concurrency", "2", "-o", "out.ndjson"];
    const input = [...cloud.ids()].join("\n");
    const stopped = await place.run([...args, "--max-duration", "1s"], { input });
    expect([stopped.code, stopped.stderr]).toEqual([10, expect.stringContaining("--max-duration")]);
    const before = cloud.stats.requests.download ?? 0;
    expect(before).toBeGreaterThan(0);
    const done = await place.run(["export", "-i", "-", "-o", "out.ndjson"], { input });
    expect(done.code).toBe(0);
    expect(cloud.stats.requests.download).toBe(200);
    expect(place.rows("out.ndjson")).toHaveLength(200);
  });

  test("the first signal finishes running work and commits, the second ends at once", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 100, latencyMs: 80 });
    const input = [...cloud.ids()].join("\n");
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const ran = await place.run(["pull", "-v", "-i", "-", "--concurrency", "4"], {
        input,
        started: (child) => whenFetching(child, () => child.kill(signal)),
      });
      expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining("Finishing running work")]);
      const listed = parseLines((await place.runHere(["list", "--json"])).stdout);
      expect(listed.filter(({ state }) => state === "fetched").length).toBe(
        new Set(ran.stderr.match(/\w+(?=: fetched)/g)).size + (signal === "SIGTERM" ? listedBefore : 0),
      );
      listedBefore = listed.filter(({ state }) => state === "fetched").length;
    }
    const twice = await place.run(["pull", "-v", "-i", "-", "--concurrency", "1"], {
      input,
      started: (child) =>
        child.stderr?.on("data", (text) => {
          if (String(text).includes("fetched")) child.kill("SIGINT");
        }),
    });
    expect(twice.code).toBe(130);
  });

  test("a pipe without data does not delay a signal", async () => {
    const place = workplace();
    await place.cloud({ calls: 1 });
    const { spawn } = await import("node:child_process");
    const bin = new URL("../../bin/callarchive.js", import.meta.url).pathname;
    const child = spawn(process.execPath, [bin, "pull", "-i", "-"], { cwd: place.folder, env: place.environment() });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    const watch = setInterval(() => {
      try {
        place.read("callarchive.db-wal");
        // Once: a second signal ends the process at once.
        clearInterval(watch);
        child.kill("SIGINT");
      } catch {
        // Not begun yet.
      }
    }, 50);
    expect(await ended).toBe(130);
  });

  test("a clock that jumps back a day during a run does no harm", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 40 });
    const args = ["export", ...cloud.ids(), "-o", "out.ndjson"];
    const ran = await place.run(args, { env: faulty({ FAKE_TIME: "0", FAKE_JUMP: "600000", FAKE_JUMP_AFTER: "60" }) });
    expect(ran.code).toBe(0);
    expect((await place.runHere(args)).code).toBe(0);
    expect(place.rows("out.ndjson")).toHaveLength(40);
  });
});

let listedBefore = 0;

describe("--new into a folder that knows more than the archive", () => {
  test("writes nothing after an older archive was restored, until --adopt has read the parts", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 6 });
    const all = [...cloud.ids()];
    await place.runHere(["pull", ...all]);
    const restored = place.path("older.db");
    const { default: Database } = await import("libsql");
    const db = new Database(place.path("callarchive.db"));
    db.exec(`vacuum into '${restored}'`);
    db.close();
    await place.runHere(["export", "--offline", all[0] ?? "", "--new", "-o", "parts/"]);
    const first = place.read("parts", "transcripts-00001.ndjson");
    const again = ["export", "--offline", ...all, "--new", "-o", "parts/", "--archive", "older.db"];
    const refused = await place.runHere(again);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining("holds part 1, which this archive did"),
    ]);
    const ran = await place.run([...again, "--adopt"]);
    expect(ran.code).toBe(0);
    expect(place.read("parts", "transcripts-00001.ndjson")).toBe(first);
    expect(place.rows("parts", "transcripts-00002.ndjson")).toHaveLength(5);
    expect((await place.runHere(["verify", "parts"])).code).toBe(0);
  });
});
