import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import Database from "libsql";
import { describe, expect, test } from "vitest";
import { faulty } from "../helpers/faulty.ts";
import { parseLines, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];

const change = (place: Workplace, sql: string): void => {
  const db = new Database(place.path("callarchive.db"));
  db.exec(sql);
  db.close();
};

/** The stored bytes of every block, expanded. */
const blocks = (db: InstanceType<typeof Database>): { block: number; text: Buffer }[] =>
  (db.prepare("select block, body from blocks order by block").all() as { block: number; body: ArrayBuffer }[]).map(
    ({ block, body }) => ({ block, text: brotliDecompressSync(new Uint8Array(body)) }),
  );

/** One call loses its document, one block is cut short, and a word is changed in another block. */
const tamper = (place: Workplace): void => {
  const db = new Database(place.path("callarchive.db"));
  const [first, second] = blocks(db);
  if (!first || !second) throw new Error("There are fewer than two blocks.");
  const at = first.text.indexOf('"greeting"');
  first.text.write("GREETING", at + 1);
  db.prepare("update blocks set body = ? where block = ?").run(brotliCompressSync(first.text), first.block);
  db.prepare("update blocks set body = x'00' where block = ?").run([second.block]);
  db.exec("update items set block = null where item = (select max(item) from items)");
  db.close();
};

describe("verify", () => {
  test("reports nothing for a good archive, and each fault of a damaged one", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12 });
    // In two runs, so that there are two blocks.
    await place.runHere(["pull", ...[...cloud.ids()].slice(6)]);
    await place.runHere(["export", ...cloud.ids(), "-f", "ndjson,csv,raw", "-o", "out/"]);
    await place.runHere(["export", "--offline", "-o", "one.csv"]);
    const fine = await place.runHere(["verify", "out", "one.csv"]);
    expect([fine.code, fine.stdout]).toEqual([0, ""]);
    expect(fine.stderr).toContain("Checked 12 documents of the archive");

    appendFileSync(place.path("out/transcripts.ndjson"), "{}\n");
    rmSync(place.path("out/transcripts.csv"));
    const [id = ""] = cloud.ids();
    writeFileSync(place.path(`out/raw/${id}.json`), "{}");
    tamper(place);
    const bad = await place.runHere(["verify", "out", "--json"]);
    expect(bad.code).toBe(3);
    const findings = parseLines<{ where: string; what: string }>(bad.stdout).map(
      ({ where, what }) => `${where}: ${what}`,
    );
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.stringContaining("1 fetched call has no document"),
        expect.stringContaining("its document has changed since it was stored"),
        expect.stringContaining("its document cannot be read"),
        expect.stringMatching(/^out\/transcripts.ndjson: has 13 rows, but 12 in the manifest/),
        "out/transcripts.csv: does not exist",
        `out/raw/${id}.json: has changed since it was written (SHA-256)`,
      ]),
    );
    expect((await place.runHere(["verify", "nowhere"])).stderr).toContain("has no readable manifest");
  });

  test("--remote reports calls that only the cloud or only the archive has", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 20, agents: 1 });
    const [agent = ""] = cloud.agents;
    const range = ["--agent", agent, ...WEEK];
    await place.runHere(["pull", ...range]);
    expect((await place.runHere(["verify", "--remote", ...range])).code).toBe(0);
    const late = cloud.add({ start: new Date("2025-07-16T12:00:00Z") });
    change(
      place,
      "insert into items (key, named, agent, state, started_at, seen_at) values ('ghost', 1, (select agent from items limit 1), 'open', unixepoch('2025-07-15') * 1000, unixepoch('2025-07-15') * 1000)",
    );
    const ran = await place.runHere(["verify", "--remote", ...range]);
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(/the cloud lists it, but the archive does not have it/);
    expect(ran.stdout).toContain("ghost: the archive has it, but the cloud no longer lists it");
    expect(ran.stdout.trim().split("\n")).toHaveLength(2);
    expect(late).not.toBe("");
  });

  test("a copy of an archive in use, with its write-ahead log, is complete", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 200, latencyMs: 5 });
    let copied = false;
    await place.run(["pull", "-v", "-i", "-"], {
      input: [...cloud.ids()].join("\n"),
      started: (child) =>
        child.stderr?.on("data", (text) => {
          if (copied || !String(text).includes("fetched")) return;
          copied = true;
          const db = new Database(place.path("callarchive.db"));
          db.exec(`vacuum into '${place.path("copy.db")}'`);
          db.close();
        }),
    });
    expect(copied).toBe(true);
    const ran = await place.runHere(["verify", "--archive", "copy.db"]);
    expect([ran.code, ran.stdout]).toEqual([0, ""]);
  });
});

describe("retention and erasure", () => {
  test("prune deletes old calls and keeps tombstones, so that they are not fetched again", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 20, agents: 1 });
    const range = ["--agent", cloud.agents[0] ?? "", ...WEEK];
    const recent = cloud.add({ id: "recent", start: new Date() });
    await place.run(["pull", ...range]);
    await place.run(["pull", recent]);
    const dry = await place.run(["prune", "--older-than", "180d", "-n"]);
    expect(dry.stderr).toContain("20 conversations");
    const size = readFileSync(place.path("callarchive.db")).length;
    expect((await place.run(["prune", "--older-than", "180d"])).stderr).toContain("20 conversations");
    expect(readFileSync(place.path("callarchive.db")).length).toBeLessThan(size);
    const before = cloud.stats.requests.download;
    const again = await place.run(["export", ...range, "--log-format", "json", "--refresh", "-o", "out.ndjson"]);
    expect([again.code, cloud.stats.requests.download]).toEqual([0, before]);
    expect(summaryOf(again)).toMatchObject({ selected: 20, exported: 0, skipped: 20 });
    expect(JSON.parse((await place.runHere(["status", "--json"])).stdout).counts).toMatchObject({
      pruned: 20,
      fetched: 1,
    });
    expect((await place.runHere(["verify"])).code).toBe(0);
    expect((await place.runHere(["prune"])).code).toBe(2);
  });

  test("forget leaves no bytes in the file, and names the outputs that still contain the call", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    const body = JSON.stringify({
      instanceid: "secret1",
      startTime: 1755138072,
      dialog: [{ id: 1, begin: 1, role: "user", type: "normal", text: "MYSECRETWORDS" }],
    });
    const id = cloud.add({ id: "secret1", body, instance: { CallInfo: { CallerNumber: "13900000000" } } });
    await place.run(["export", ...cloud.ids(), "-f", "ndjson,csv", "-o", "out/"]);
    await place.run(["export", "--offline", "--new", "-o", "parts/"]);
    // Compressed bytes do not show their words: every block is expanded, and no page may be left of one that is no more.
    const traces = (): boolean => {
      const db = new Database(place.path("callarchive.db"));
      const { free } = db.prepare("select freelist_count as free from pragma_freelist_count").get() as { free: number };
      const texts = blocks(db).map(({ text }) => text);
      db.close();
      const words = ["MYSECRETWORDS", "13900000000"];
      return free > 0 || words.some((word) => texts.some((text) => text.includes(word)));
    };
    const bodies = (): Buffer[] => {
      const db = new Database(place.path("callarchive.db"));
      const rows = db.prepare("select body from blocks").all() as { body: ArrayBuffer }[];
      db.close();
      return rows.map(({ body }) => Buffer.from(body));
    };
    const holding = bodies();
    expect(traces()).toBe(true);
    const ran = await place.run(["forget", id.toUpperCase(), "nobody"]);
    expect(ran.code).toBe(3);
    expect(ran.stdout.trim().split("\n")).toEqual([
      `SECRET1\tcsv\t${place.path("out")}`,
      `SECRET1\tndjson\t${place.path("out")}`,
      `SECRET1\tndjson\t${place.path("parts")}`,
    ]);
    expect(traces()).toBe(false);
    // Nor is the compressed form of a replaced block anywhere in the file or beside it.
    const files = ["callarchive.db", "callarchive.db-wal"].filter((name) => existsSync(place.path(name)));
    const now = bodies();
    for (const gone of holding.filter((body) => !now.some((kept) => kept.equals(body))))
      for (const name of files) expect(readFileSync(place.path(name)).includes(gone.subarray(0, 64))).toBe(false);
    expect((await place.runHere(["show", id, "--raw"])).code).toBe(2);
    const before = cloud.stats.requests.download;
    await place.runHere(["pull", id]);
    expect(cloud.stats.requests.download).toBe(before);
  });
});

describe("missing, invalid and failed calls", () => {
  test("--error-file lists them, and -i reads it, also for calls that were only listed", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 8, agents: 1 });
    const huge = cloud.add({
      start: new Date("2025-07-16T00:00:00Z"),
      body: JSON.stringify({ dialog: [], pad: "x".repeat(2_000_000) }),
    });
    const range = ["--agent", cloud.agents[0] ?? "", ...WEEK, "--max-document-size", "1MB"];
    const ran = await place.run(["export", ...range, "-o", "out.ndjson", "--error-file", "errors.ndjson"]);
    expect(ran.code).toBe(3);
    const [error] = place.rows("errors.ndjson");
    expect(error).toMatchObject({
      state: "failed",
      code: "TooLarge",
      attempts: 1,
      id: expect.stringMatching(/^link-/),
    });
    expect((await place.runHere(["status", "--failed"])).stdout).toBe(place.read("errors.ndjson"));
    expect((await place.runHere(["show", String(error?.id)])).stderr).toContain("is failed");
    const again = await place.run([
      "export",
      "-i",
      "errors.ndjson",
      "-o",
      "rest.ndjson",
      "--error-file",
      "errors.ndjson",
    ]);
    expect(again.code).toBe(0);
    expect(place.rows("rest.ndjson")).toHaveLength(1);
    expect(place.rows("errors.ndjson")).toEqual([]);
    expect(huge).not.toBe("");
  });

  test("a service without answers for a few calls causes exit 5, and the earlier output stays", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    await place.runHere(["export", ...cloud.ids(), "-o", "good.ndjson"]);
    const good = place.read("good.ndjson");
    const ran = await place.run([
      "export",
      "x1",
      "x2",
      "--endpoint",
      "http://127.0.0.1:1",
      "--retries",
      "0",
      "-o",
      "good.ndjson",
    ]);
    expect([ran.code, place.read("good.ndjson")]).toEqual([5, good]);
  });

  test("calls that always fail do not delay the others in the next run", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    const ids = Array.from({ length: 30 }, (_, at) =>
      cloud.add({ id: `bad${String(at).padStart(2, "0")}`, link: "http://127.0.0.1:1/x.json" }),
    );
    ids.push(cloud.add({ id: "good1" }), cloud.add({ id: "good2" }));
    const args = ["export", ...ids, "--retries", "0", "--concurrency", "1", "-o", "out.ndjson"];
    expect((await place.runHere(args)).code).toBe(5);
    const second = await place.run(args);
    expect(second.code).toBe(3);
    expect(place.rows("out.ndjson")).toHaveLength(2);
  });

  test("a failed refresh is reported with exit 3, and the stored document stays", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4 });
    const ids = [...cloud.ids()];
    await place.runHere(["pull", ...ids]);
    cloud.faults = { error: 1 };
    const ran = await place.run(["export", ...ids.slice(0, 2), "--refresh", "--retries", "0", "-o", "out.ndjson"]);
    expect([ran.code, existsSync(place.path("out.ndjson"))]).toEqual([5, false]);
    cloud.faults = {};
    const half = cloud.add({ id: "half" });
    await place.runHere(["pull", half]);
    const other = await place.run([
      "export",
      half,
      ids[0] ?? "",
      "--refresh",
      "--max-document-size",
      "1KB",
      "-o",
      "out.ndjson",
    ]);
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining("could not be refreshed")]);
    expect(place.rows("out.ndjson")).toHaveLength(2);
  });

  test("an interrupted archive can be exported offline: calls that were not fetched are counted", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    await place.runHere(["pull", ...cloud.ids()]);
    change(
      place,
      "insert into items (key, named, state, seen_at) values ('late', 1, 'pending', unixepoch('2025-07-15') * 1000)",
    );
    const ran = await place.run(["export", "--offline", "-o", "out.ndjson"]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("6 selected = 5 exported")]);
    expect(ran.stderr).toContain("1 pending");
  });
});

describe("one call from several sources", () => {
  test("logs without a call id are identified by address and later by id, as one call", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2, agents: 1 });
    const body = (n: number): string => JSON.stringify({ startTime: 1752600000 + n, dialog: [] });
    for (const n of [1, 2]) cloud.add({ id: `noid${n}`, start: new Date("2025-07-15T18:00:00Z"), body: body(n) });
    const range = ["--agent", cloud.agents[0] ?? "", ...WEEK];
    await place.runHere(["export", ...range, "-f", "raw", "-o", "raw1/"]);
    const byId = await place.run(["export", "noid1", "noid2", "-o", "two.ndjson"]);
    expect(byId.code).toBe(0);
    expect(place.rows("two.ndjson").map(({ id }) => id)).toEqual(["noid1", "noid2"]);
    const all = await place.runHere(["export", "--offline", "-f", "ndjson,raw", "-o", "all/"]);
    expect(all.code).toBe(0);
    expect(place.rows("all", "transcripts.ndjson")).toHaveLength(4);
  });

  test("details from describe survive a later list; --describe always adds them to listed calls", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, agents: 1 });
    const range = ["--agent", cloud.agents[0] ?? "", ...WEEK];
    const [id = ""] = cloud.ids();
    await place.runHere(["export", id, "-o", "1.ndjson"]);
    await place.runHere(["pull", ...range, "--refresh"]);
    await place.runHere(["export", "--offline", id, "-o", "2.ndjson"]);
    const { agentId: _, ...later } = place.rows("2.ndjson")[0] ?? {};
    expect(later).toEqual(place.rows("1.ndjson")[0]);
    const before = cloud.stats.requests.download;
    await place.run(["export", ...range, "--describe", "always", "-o", "3.ndjson"]);
    expect(place.rows("3.ndjson").every((call) => call.durationSeconds !== undefined)).toBe(true);
    expect(cloud.stats.requests.download).toBe(before);
  });

  test("the end of a range is not included: a call of that second belongs to the next range", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const edge = cloud.add({ start: new Date("2025-07-16T00:00:00.400Z") });
    const before = cloud.add({ start: new Date("2025-07-15T23:59:59.900Z") });
    const agent = ["--agent", cloud.agents[0] ?? ""];
    const day = async (since: string, until: string) =>
      parseLines(
        (await place.runHere(["export", ...agent, "--since", since, "--until", until, "--no-archive"])).stdout,
      ).map((call) => call.id);
    expect(await day("2025-07-15", "2025-07-16")).toEqual([before]);
    expect(await day("2025-07-16", "2025-07-17")).toEqual([edge]);
  });

  test("reading changes neither an archive nor the database of another program", async () => {
    const place = workplace();
    const db = new Database(place.path("other.db"));
    db.exec("create table t (x)");
    db.close();
    copyFileSync(place.path("other.db"), place.path("copy.db"));
    expect((await place.runHere(["status", "--archive", "other.db"])).code).toBe(2);
    expect(readFileSync(place.path("other.db")).equals(readFileSync(place.path("copy.db")))).toBe(true);
    writeFileSync(place.path("empty.db"), "");
    expect((await place.runHere(["status", "--archive", "empty.db"])).code).toBe(2);
    expect(readFileSync(place.path("empty.db")).length).toBe(0);
  });
});

describe("metrics", () => {
  test("--metrics-file is complete OpenMetrics text, also for a failed run", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    await place.run(["export", ...cloud.ids(), "nobody", "-o", "out.ndjson", "--metrics-file", "m.prom"]);
    const text = place.read("m.prom");
    expect(text.endsWith("# EOF\n")).toBe(true);
    expect(text).toContain('callarchive_run_calls{command="export",state="exported"} 3');
    expect(text).toContain('callarchive_run_exit_code{command="export"} 3');
    for (const line of text.split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE|EOF).*|callarchive_\w+\{[^}]*\} [\d.]+|)$/);
    cloud.faults = { down: 1 };
    await place.runHere(["pull", "x", "--retries", "0", "--metrics-file", "m.prom"]);
    expect(place.read("m.prom")).toContain('callarchive_run_exit_code{command="pull"} 5');
  });

  test("a run after one that ended early logs if its selection is different", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, faults: { down: 1 } });
    const ids = [...cloud.ids()];
    const command = (from: number): string[] => ["pull", ...ids.slice(from), "--retries", "0"];
    const pull = (from: number) => place.runHere(command(from));
    // What ended by itself, with whatever code, says nothing of what comes after it.
    expect((await pull(0)).code).toBe(5);
    cloud.faults = {};
    expect((await pull(1)).stderr).not.toContain("another selection");
    await place.run(command(0), { env: faulty({ FAULTY_AT: "2" }) });
    expect((await pull(1)).stderr).toContain("did not end properly, and had another selection");
    expect((await pull(0)).stderr).not.toContain("another selection");
    change(place, "update runs set exit_code = 143 where run = (select max(run) from runs)");
    expect((await pull(1)).stderr).toContain("was stopped by a signal, and had another selection");
  });
});
