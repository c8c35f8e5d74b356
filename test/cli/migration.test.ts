import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import Database from "libsql";
import { describe, expect, test, vi } from "vitest";
import { openArchive as openStored } from "../../src/archive/index.ts";
import { migrations } from "../../src/archive/migrations.ts";
import type { Lockable } from "../../src/core/lock.ts";
import type { Log } from "../../src/core/ports.ts";
import { ArchiveBusy, createContext, openArchive } from "../../src/index.ts";
import { faulty } from "../helpers/faulty.ts";
import { contentsOf, exportedBy, madeCloud, oldVersions, sameCloud, unpack } from "../helpers/old-archives.ts";
import { parseAnyLines, parseLines, type Workplace, workplace } from "../helpers/workplace.ts";

/** Without the id of the archive, which a step makes by chance. */
const withoutId = (contents: Record<string, unknown>) => ({
  ...contents,
  facts: String(contents.facts).replace(/[0-9a-f]{32}/, ""),
});

type Row = Record<string, unknown> & { id: string };

/** A conversation without what says how it came about, whose shape is not that of the conversation. */
const withoutProvenance = (
  { provenance: _, ...rest }: Record<string, unknown>,
  standIns: Map<string, string>,
): Row => ({
  ...rest,
  id: standIns.get(String(rest.id)) ?? String(rest.id),
});

/** The ids of the first deliveries in all parts of the folder. */
const delivered = (place: Workplace): string[] =>
  readdirSync(place.path("parts"))
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => parseAnyLines<Row & { revision?: number }>(place.read("parts", name)))
    // A call that was described later came again.
    .flatMap(({ id, revision }) => (revision === undefined ? [id] : []));

const LATEST = migrations.length;
const message = (calls: number) =>
  `Updating the archive callarchive.db to version ${LATEST}: ${calls} calls, about 1 s.`;
/** The message once; the line about its end only where the machine was slow. */
const updated = (calls: number) =>
  expect.stringMatching(new RegExp(`^${message(calls)}\\n(The archive .* is updated .*\\n)?$`));

test("there is an archive of every older version", () => {
  expect(oldVersions).toEqual(expect.arrayContaining(Array.from({ length: LATEST - 1 }, (_, at) => at + 1)));
});

describe.each(oldVersions)("an archive of version %i", (version) => {
  test("is opened by the present program, which says once that it updates it, and exports the same", async () => {
    const place = workplace();
    unpack(place, version);
    const ran = await place.run(["export", "--offline", "-o", "all.ndjson"]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("39 exported")]);
    expect(ran.stderr.includes(message(44))).toBe(version < LATEST);
    const before = exportedBy(version).map((row) => withoutProvenance(row, new Map()));
    const now = place.rows("all.ndjson").map((row) => withoutProvenance(row, new Map()));
    expect(now.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    for (const [at, transcript] of before.entries()) expect(now[at]).toMatchObject(transcript);
    expect((await place.runHere(["export", "--offline", "-o", "all.ndjson"])).stderr).not.toContain("Updating");
  });

  test("is listed, counted and verified, and its calls are deleted", async () => {
    const place = workplace();
    unpack(place, version);
    const listed = parseLines<Row>((await place.runHere(["list", "--json"])).stdout);
    expect(listed.length).toBe(44);
    const counts = { open: 1, pending: 0, fetched: 39, missing: 1, invalid: 1, failed: 1, pruned: 1 };
    const status = async () => JSON.parse((await place.runHere(["status", "--json"])).stdout);
    expect((await status()).counts).toMatchObject(counts);
    expect(await place.runHere(["verify", "parts/"])).toMatchObject({ code: 0, stdout: "" });
    const [invalid] = listed.filter(({ state }) => state === "invalid");
    expect((await place.runHere(["show", invalid?.id ?? "", "--raw"])).stdout).toBe(madeCloud.added.invalid.body);
    const [fetched] = listed.filter(({ state }) => state === "fetched");
    const forgotten = await place.run(["forget", fetched?.id ?? ""]);
    expect([forgotten.code, forgotten.stdout]).toEqual([0, expect.stringContaining("parts")]);
    expect((await place.runHere(["prune", "--older-than", "30d"])).code).toBe(0);
    expect((await status()).counts.fetched).toBe(0);
    expect((await place.runHere(["verify"])).code).toBe(0);
  });

  test("is continued by --since last and --new: no call is lost, none is written twice", async () => {
    const place = workplace();
    const cloud = await sameCloud(place, 0);
    const standIns = unpack(place, version, cloud);
    const before = delivered(place).map((id) => standIns.get(id) ?? id);
    expect(before.length).toBe(12);
    const agents = cloud.agents.flatMap((agent) => ["--agent", agent]);
    const range = [...agents, "--since", "last", "--until", "2025-07-22"];
    const last = await place.run(["export", ...range, "--new", "-o", "parts/"]);
    // Version 1 does not know what was reported before: the invalid and the failed call.
    expect([last.code, last.stderr]).toEqual([version === 1 ? 3 : 0, expect.stringContaining("17 exported")]);
    expect(last.stderr).toContain("19 already in the archive");
    const rest = await place.runHere(["export", "--offline", "--new", "-o", "parts/"]);
    expect(rest.stderr).toContain("12 exported");
    expect((await place.run(["export", "--offline", "-o", "all.ndjson"])).stderr).toContain(
      "45 selected = 41 exported",
    );
    const wanted = place.rows<Row>("all.ndjson").map(({ id }) => id);
    const now = delivered(place).map((id) => standIns.get(id) ?? id);
    expect(new Set(wanted).size).toBe(41);
    expect(now.toSorted()).toEqual(wanted.toSorted());
    expect((await place.runHere(["verify", "parts/"])).code).toBe(0);
  });
});

/** Points of the migration of an archive by a command that only reads: its lock, each step, and the commit of them. */
const pointsOf = async (place: Workplace): Promise<string[]> => {
  unpack(place, 1);
  await place.run(["status"], { env: faulty({ FAULTY_STEPS: "1", FAULTY_LOG: place.path("points") }) });
  return place.read("points").trim().split("\n");
};

const wholeExport = async (place: Workplace): Promise<void> => {
  const ran = await place.run(["export", "--offline", "-o", "all.ndjson"]);
  expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("39 exported")]);
};

describe("a migration that does not come to its end", () => {
  test("kill -9 at each of its points: the old archive is intact or the new one complete, and the same command works", async () => {
    const place = workplace();
    const points = await pointsOf(place);
    expect(points).toEqual(["commit", ...migrations.slice(1).map(() => "step"), "commit"]);
    const after = contentsOf(place.path("callarchive.db"));
    for (const [at, name] of points.entries())
      for (const how of ["kill", "kill-after"]) {
        unpack(place, 1);
        const before = contentsOf(place.path("callarchive.db"));
        const env = faulty({ FAULTY_STEPS: "1", FAULTY_AT: String(at + 1), FAULTY_HOW: how });
        expect((await place.run(["status"], { env })).code).toBe(null);
        const left = contentsOf(place.path("callarchive.db"));
        const isDone = at === points.length - 1 && how === "kill-after";
        expect({ at, name, how, left: isDone ? withoutId(left) : left }).toEqual({
          ...{ at, name, how },
          left: isDone ? withoutId(after) : before,
        });
        const ran = await place.runHere(["status"]);
        expect([ran.code, ran.stderr]).toEqual([0, isDone ? "" : updated(44)]);
        expect(withoutId(contentsOf(place.path("callarchive.db")))).toEqual(withoutId(after));
      }
    await wholeExport(place);
  });

  test("a full disk at each of its points: exit 1, the old archive is intact, and the same command works", async () => {
    const place = workplace();
    const points = await pointsOf(place);
    for (let at = 1; at <= points.length; at += 1) {
      unpack(place, 1);
      const before = contentsOf(place.path("callarchive.db"));
      const env = faulty({ FAULTY_STEPS: "1", FAULTY_AT: String(at), FAULTY_HOW: "ENOSPC" });
      const full = await place.run(["status"], { env });
      expect([full.code, full.stdout]).toEqual([1, ""]);
      expect(full.stderr).toMatch(/No space is left for the archive .* run the same command again/);
      expect(contentsOf(place.path("callarchive.db"))).toEqual(before);
      expect((await place.runHere(["status"])).code).toBe(0);
    }
    await wholeExport(place);
  });
});

/** Runs a migration that stops itself in the middle of its work; `wake` lets it go on. */
const stoppedMigration = async (place: Workplace) => {
  unpack(place, 1);
  const log = place.path("points");
  const env = faulty({ FAULTY_STEPS: "1", FAULTY_AT: "3", FAULTY_HOW: "stop", FAULTY_LOG: log });
  let child: ChildProcess | undefined;
  const done = place.run(["status"], { env, started: (process) => (child = process) });
  await vi.waitFor(() => expect(readFileSync(log, "utf8").trim().split("\n").length).toBe(3), 20_000);
  return { pid: child?.pid, done, wake: () => child?.kill("SIGCONT") };
};

describe("the lock of an archive that must be updated", () => {
  test("is held by the migration: others are refused, also when it takes longer than a lock lasts, or wait for it", async () => {
    const place = workplace();
    const { pid, done, wake } = await stoppedMigration(place);
    try {
      for (const args of [["list"], ["export", "--offline"], ["forget", "-n", "abcd"], ["verify"]])
        for (const env of [{}, faulty({ FAKE_TIME: "600000" })]) {
          const refused = await place.run(args, { env });
          expect([args, refused.code, refused.stdout]).toEqual([args, 11, ""]);
          expect(refused.stderr).toContain(`Another run holds the archive: process ${pid} on `);
          expect(refused.stderr).toContain("The archive callarchive.db must be updated first");
          expect(refused.stderr).not.toContain("Updating");
        }
      const waiting = await place.run(["export", "--offline", "-o", "all.ndjson", "--wait", "1m"], {
        started: ({ stderr }) => stderr?.on("data", (text) => String(text).includes("Waiting for") && wake()),
      });
      expect([waiting.code, waiting.stderr]).toEqual([3, expect.stringContaining("39 exported")]);
      expect(waiting.stderr).not.toContain("Updating");
      expect(await done).toMatchObject({ code: 0, stderr: updated(44) });
    } finally {
      wake();
    }
  });

  test("is respected: a live run of the old version ends before the archive is updated, an expired lock does not count", async () => {
    const place = workplace();
    unpack(place, 1);
    const before = contentsOf(place.path("callarchive.db"));
    const lock = (expires: number): void => {
      const db = new Database(place.path("callarchive.db"));
      db.prepare("insert or replace into lock values (1, 'token', ?, ?, '2026-01-01T00:00:00.000Z', ?)").run(
        process.pid,
        hostname(),
        new Date(expires).toISOString(),
      );
      db.close();
    };
    lock(Date.now() + 50_000);
    for (const args of [["status"], ["show", madeCloud.added.old.id], ["prune", "--older-than", "1d"]]) {
      const refused = await place.run([...args, "--log-format", "json"]);
      expect([args, refused.code, refused.stdout]).toEqual([args, 11, ""]);
      const [failed] = parseLines(refused.stderr).filter(({ event }) => event === "failed-run");
      expect(failed?.message).toContain(`process ${process.pid} on ${hostname()}`);
    }
    // The library, too.
    await expect(openArchive(place.path("callarchive.db"))).rejects.toThrow(ArchiveBusy);
    expect(contentsOf(place.path("callarchive.db"))).toEqual(before);
    lock(Date.now() - 1000);
    expect(await place.runHere(["status"])).toMatchObject({ code: 0, stderr: updated(44) });
  });

  test("is no longer needed when another run has updated the archive meanwhile, and holds it for its own work", async () => {
    const place = workplace();
    unpack(place, 1);
    const file = place.path("callarchive.db");
    const lock = async (acquire: Lockable["acquire"]): Promise<void> => {
      expect((await place.run(["status"])).code).toBe(0);
      const db = new Database(file);
      db.exec(
        "insert into lock (one, token, pid, host, started_at, expires_at) values (1, 't', 7, 'there', '', '9999')",
      );
      db.close();
      expect(await acquire({ pid: 1, host: "here" }, () => false)).toBe(undefined);
    };
    const onStart = (): never => expect.fail("Nothing is left to do.");
    const options = { place: file, create: false, now: () => new Date(), migration: { lock, onStart } };
    const archive = await openStored(options);
    expect(await archive.holder()).toMatchObject({ pid: 7 });
    await archive.close();
  });

  test("is removed by `archive unlock`, without an update", async () => {
    const place = workplace();
    unpack(place, 1);
    const db = new Database(place.path("callarchive.db"));
    db.exec("insert into lock values (1, 'token', 4711, 'worker', '2026-01-01', '2099-01-01T00:00:00.000Z')");
    db.close();
    const before = contentsOf(place.path("callarchive.db"));
    expect((await place.run(["archive", "unlock"])).code).toBe(11);
    const unlocked = await place.run(["archive", "unlock", "--holder", "4711@worker"]);
    expect([unlocked.code, unlocked.stderr]).toEqual([0, expect.stringContaining("no longer holds the archive")]);
    expect(contentsOf(place.path("callarchive.db"))).toEqual(before);
    expect((await place.runHere(["status"])).code).toBe(0);
  });
});

describe("the message of a migration", () => {
  test("is one event of JSON logs, and the library's log has it too", async () => {
    const place = workplace();
    unpack(place, 1);
    const ran = await place.runHere(["list", "--log-format", "json"]);
    const fields = { event: "updating-archive", level: "info", archive: "callarchive.db", version: LATEST, calls: 44 };
    expect(parseLines(ran.stderr).filter(({ event }) => event !== "archive-updated")).toEqual([
      expect.objectContaining({ ...fields, seconds: 1 }),
    ]);
    unpack(place, 1);
    const events: unknown[] = [];
    const log: Log = (...event) => event[1] !== "archive-updated" && events.push(event);
    const context = createContext(process, { log });
    const path = place.path("callarchive.db");
    // Two openings of one process do not refuse each other, and one of them updates the archive.
    for (const archive of await Promise.all([openArchive(path, context), openArchive(path, context)]))
      await archive.close();
    expect(events).toEqual([["info", "updating-archive", { archive: path, version: LATEST, calls: 44, seconds: 1 }]]);
  });

  test("tells of the end if it took long", async () => {
    const place = workplace();
    unpack(place, 1);
    // The clock jumps by a minute between the start and the end.
    const env = faulty({ FAULTY_STEPS: "1", FAKE_TIME: "0", FAKE_STEP: "60000" });
    const ran = await place.run(["status"], { env });
    expect([ran.code, ran.stderr]).toEqual([
      0,
      expect.stringMatching(
        /^Updating .*\nThe archive callarchive\.db is updated to version \d+; this took \d+ min \d s\.\n$/,
      ),
    ]);
  });

  test("does not come for a new archive, one without calls, and a temporary one", async () => {
    const place = workplace();
    const cloud = await sameCloud(place);
    const [id = ""] = cloud.ids();
    for (const args of [
      ["pull", id],
      ["export", id, "--no-archive"],
    ])
      expect((await place.run(args)).stderr).not.toContain("Updating");
    unpack(place, 1);
    const db = new Database(place.path("callarchive.db"));
    db.exec("delete from items");
    db.close();
    expect(await place.runHere(["status"])).toMatchObject({ code: 0, stderr: "" });
  });
});
