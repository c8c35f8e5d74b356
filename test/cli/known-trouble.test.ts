import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { parseLines, type Ran, summaryOf, workplace } from "../helpers/workplace.ts";

const HOUR = 3_600_000;
const START = Date.parse("2025-09-01T00:00:00Z");
const SINCE = "2025-09-01T00:00:00Z";

/** Hourly runs of one agent, on a clock of their own. */
const hourly = async () => {
  const place = workplace();
  let at = START;
  const cloud = await place.cloud({ calls: 0, agents: 1, now: () => new Date(at) });
  const [agent = ""] = cloud.agents;
  cloud.add({ start: new Date(START + HOUR / 2) });
  const run = (args: string[], faults: Record<string, string> = {}) =>
    Object.keys(faults).length === 0
      ? place.runHere(args, { at })
      : place.run(args, { env: faulty({ FAKE_TIME: String(at - Date.now()), ...faults }) });
  let first = true;
  /** The job of the next hour. */
  const job = async (more: string[] = [], env: Record<string, string> = {}): Promise<Ran> => {
    at += HOUR;
    const since = first ? SINCE : "last";
    first = false;
    return run(
      [
        ...["export", "--agent", agent, "--since", since, "--new", "-o", "parts/", "--log-format", "json"],
        ...["--error-file", "errors.ndjson", "--metrics-file", "run.prom", "--max-document-size", "100KB", ...more],
      ],
      env,
    );
  };
  /** A call that began in the last half an hour, with a document that nobody can read. */
  const broken = (id: string): string => cloud.add({ id, start: new Date(at + HOUR / 2), body: "[]" });
  /** All that a run says of its trouble, in one place. */
  const told = (ran: Ran) => {
    const { missing, invalid, failed, knownTrouble, acknowledged } = summaryOf(ran) as Record<string, number>;
    const kinds = [...place.read("run.prom").matchAll(/run_trouble\{command="export",kind="(\w+)"\} (\d+)/g)];
    const metrics = Object.fromEntries(kinds.map(([, kind, n]) => [kind, Number(n)]));
    const errors = place.rows("errors.ndjson");
    const flagged = (flag: string): number => errors.filter((row) => row[flag] === true).length;
    // The summary, the metrics and the error file say the same.
    const total = (missing ?? 0) + (invalid ?? 0) + (failed ?? 0);
    expect(errors).toHaveLength(total);
    expect([flagged("known"), flagged("acknowledged")]).toEqual([knownTrouble, acknowledged]);
    expect([metrics.known, metrics.acknowledged]).toEqual([knownTrouble, acknowledged]);
    expect((metrics.new ?? 0) + (metrics.known ?? 0) + (metrics.acknowledged ?? 0)).toBe(total);
    return { code: ran.code, fresh: metrics.new, known: knownTrouble, acknowledged };
  };
  return { place, cloud, agent, run, job, broken, told };
};

describe("failures in unattended runs", () => {
  test("makes one run fail; once acknowledged it never counts again, until that is undone", async () => {
    const { place, agent, run, job, broken, told } = await hourly();
    expect(told(await job())).toEqual({ code: 0, fresh: 0, known: 0, acknowledged: 0 });
    broken("bad1");
    expect(told(await job())).toEqual({ code: 3, fresh: 1, known: 0, acknowledged: 0 });
    const idle = await job();
    expect(told(idle)).toEqual({ code: 0, fresh: 0, known: 1, acknowledged: 0 });
    expect(told(await job(["--strict"]))).toMatchObject({ code: 3, known: 1 });
    broken("bad2");
    expect(told(await job())).toEqual({ code: 3, fresh: 1, known: 1, acknowledged: 0 });
    // A plain range counts what is known, too.
    const plain = ["pull", "--agent", agent, "--since", SINCE];
    expect((await run(plain)).code).toBe(3);
    const last = await run(["pull", "--agent", agent, "--since", "last"]);
    expect([last.code, last.stderr]).toEqual([0, expect.stringContaining("2 reported before, not counted")]);

    const planned = await place.run(["ack", "--all", "-n"]);
    expect([planned.code, parseLines(planned.stdout).length]).toEqual([0, 2]);
    const ids = planned.stdout.match(/link-[0-9a-f]{32}/g) ?? [];
    expect((await run(["ack", ids[0] ?? ""])).stderr).toContain("1 call acknowledged");
    expect(told(await job())).toEqual({ code: 0, fresh: 0, known: 1, acknowledged: 1 });
    expect((await run(plain)).code).toBe(3);
    const rest = await run(["ack", "-i", "errors.ndjson"]);
    expect([rest.code, rest.stderr]).toEqual([0, expect.stringContaining("1 call acknowledged")]);
    const settled = await run(plain);
    expect([settled.code, settled.stderr]).toEqual([0, expect.stringContaining("2 acknowledged, not counted")]);
    expect((await run(["pull", ...ids])).code).toBe(0);
    expect((await run([...plain, "--strict"])).code).toBe(3);
    const remote = ["verify", "--remote", "--agent", agent, "--since", SINCE];
    expect(await run(remote)).toMatchObject({ code: 0, stdout: "" });
    expect((await place.runHere(["list", "--state", "invalid"])).stdout).toContain("invalid (acknowledged)");
    expect(JSON.parse((await place.runHere(["status", "--json"])).stdout).acknowledged).toBe(2);
    const status = (await place.runHere(["status", "--failed"])).stdout;
    expect(parseLines(status).map(({ acknowledged }) => acknowledged)).toEqual([true, true]);

    expect((await run(["ack", "--all", "--undo"])).stderr).toContain("2 calls no longer acknowledged");
    expect(await run(remote)).toMatchObject({ code: 3, stdout: expect.stringMatching(/(it is invalid\n.*){2}/s) });
    expect(told(await job())).toEqual({ code: 3, fresh: 2, known: 0, acknowledged: 0 });
    expect(told(await job())).toEqual({ code: 0, fresh: 0, known: 2, acknowledged: 0 });
  }, 60_000);

  test("is reported again after a killed run, and in another state; old reports are deleted", async () => {
    // Where the end of a run is recorded, as a run that was not killed shows.
    const other = await hourly();
    await other.job();
    other.broken("bad1");
    await other.job([], { FAULTY_LOG: other.place.path("points") });
    const end = other.place.read("points").trim().split("\n").lastIndexOf("commit") + 1;

    const { place, cloud, run, job, broken, told } = await hourly();
    await job();
    broken("bad1");
    const start = new Date(START + HOUR + 60_000);
    const killed = await job([], { FAULTY_AT: String(end) });
    // It has delivered everything, and ends before it could say so.
    expect([killed.code, killed.stderr]).toEqual([null, expect.not.stringContaining('"event":"summary"')]);
    expect(place.rows("errors.ndjson")).toHaveLength(1);
    expect(told(await job())).toMatchObject({ code: 3, fresh: 1, known: 0 });
    cloud.add({ id: "big", start, body: `{"dialog":[${" ".repeat(200_000)}]}` });
    expect(told(await job())).toMatchObject({ code: 3, fresh: 1, known: 1 });
    expect(told(await job())).toMatchObject({ code: 0, known: 2 });
    cloud.add({ id: "big", start, body: "[]" });
    expect(told(await job())).toMatchObject({ code: 3, fresh: 1, known: 1 });
    cloud.add({ id: "big", start, body: '{"dialog":[]}' });
    const healed = await job(["--refresh"]);
    expect(summaryOf(healed)).toMatchObject({ invalid: 1, knownTrouble: 1 });
    // What was forgotten is no trouble any more.
    const bad = String(place.rows("errors.ndjson")[0]?.id);
    expect((await run(["forget", bad])).code).toBe(0);
    const { default: Database } = await import("libsql");
    const db = new Database(place.path("callarchive.db"));
    expect(db.prepare("select count(*) as n from reported").get()).toMatchObject({ n: 0 });
    db.close();
  }, 60_000);

  test("that was acknowledged is fetched again only with --refresh, and holds back no cursor", async () => {
    const { place, cloud, agent, run, job } = await hourly();
    await job();
    const start = new Date(START + HOUR + 60_000);
    cloud.add({ id: "big", start, body: `{"dialog":[${" ".repeat(200_000)}]}` });
    for (let hour = 0; hour < 30; hour += 10) await job();
    const cursor = async (): Promise<string> =>
      JSON.parse((await place.runHere(["status", "--json"])).stdout).agents[0].cursor;
    expect(Date.parse(await cursor())).toBeLessThanOrEqual(start.getTime());
    const [id = ""] = place.rows<{ id: string }>("errors.ndjson").map((row) => row.id);
    expect((await run(["ack", id])).code).toBe(0);
    const before = cloud.stats.requests.download;
    expect((await job()).code).toBe(0);
    expect(cloud.stats.requests.download).toBe(before);
    expect(Date.parse(await cursor())).toBeGreaterThan(start.getTime());
    const refreshed = await run(["pull", id, "--refresh"]);
    expect([refreshed.code, refreshed.stderr]).toEqual([0, expect.stringContaining("1 fetched")]);
    expect(cloud.agents).toContain(agent);
  }, 60_000);

  test("what cannot be acknowledged is an error: unknown calls, fetched calls, no selection, two selections", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const [id = ""] = cloud.ids();
    await place.runHere(["pull", id, "nobody"]);
    const ran = await place.run(["ack", id, "nobody", "stranger", "NOBODY"]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining(`${id}: not acknowledged. It is fetched`)]);
    expect(ran.stderr).toContain("stranger: not acknowledged. The archive does not have it.");
    expect(ran.stderr).toContain("1 call acknowledged.");
    expect((await place.run(["ack", "nobody"])).stderr).toContain("0 calls acknowledged; 1 call acknowledged before.");
    for (const args of [[], [id, "--all"], ["--state", "open"]])
      expect((await place.run(["ack", ...args])).code).toBe(2);
    // Nobody acknowledges everything by an environment that was left behind.
    expect((await place.run(["ack"], { env: { CALLARCHIVE_ALL: "true" } })).code).toBe(2);
  });
});
