import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseLines, type Ran, summaryOf, workplace } from "../helpers/workplace.ts";

const JSON_LOGS = ["--log-format", "json"];
const events = ({ stderr }: Ran, name: string) => parseLines(stderr).filter(({ event }) => event === name);

describe("the progress of a run", () => {
  test("an early end says how many calls were selected, and how many are in the archive", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3600, latencyMs: 2 });
    // Blank lines, remarks and the column's name are no ids.
    writeFileSync(place.path("ids.csv"), `# of July\ninstance_id,note\n\n${[...cloud.ids()].join(",x\n")},x\n`);
    const stop = (args: readonly string[], signal: NodeJS.Signals, options = {}): Promise<Ran> => {
      let killed = false;
      return place.run(["pull", "-v", "--concurrency", "2", ...args], {
        ...options,
        started: (child) =>
          child.stderr?.on("data", (text) => {
            if (killed || !String(text).includes("fetched")) return;
            killed = child.kill(signal);
          }),
      });
    };
    const named = await stop(["-i", "ids.csv"], "SIGHUP");
    expect(named.code).toBe(129);
    expect(named.stderr).toMatch(/Finishing running work/);
    expect(named.stderr).toMatch(/Ended early: of 3,600 calls selected, \d+ (is|are) in the archive\./);
    const piped = await stop(["-i", "-"], "SIGTERM", { input: [...cloud.ids()].join("\n") });
    expect(piped.stderr).toMatch(/Ended early: of [\d,]+ calls found until then, /);
    const [id = ""] = parseLines<{ id: string }>((await place.runHere(["list", "--json"])).stdout).map((row) => row.id);
    const listed = await stop(["-i", "ids.csv", id, "--limit", "1000", ...JSON_LOGS], "SIGINT");
    expect(events(listed, "stopped")).toMatchObject([{ asked: 1000 }]);
  });

  test("throttling is logged once per period, and counted", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 14, quota: 5 });
    const ran = await place.run(["export", ...cloud.ids(), "-o", "out.ndjson"]);
    expect(ran.code).toBe(0);
    expect(ran.stderr.match(/The service throttles: now [\d.]+ requests per second\./g)).toHaveLength(1);
    const [, n = ""] = /(\d+) requests? (?:was|were) throttled and repeated\./.exec(ran.stderr) ?? [];
    expect(Number(n)).toBe(Object.values(cloud.stats.errors).reduce((sum, more) => sum + more, 0));
    const quiet = await place.runHere(["pull", ...cloud.ids(), "--refresh", "-q"]);
    expect([quiet.code, quiet.stderr]).toEqual([0, ""]);
    const calm = await place.runHere(["pull", ...cloud.ids(), ...JSON_LOGS]);
    expect(summaryOf(calm)).toMatchObject({ throttled: 0 });
  }, 60_000);
});

describe("logs for machines", () => {
  test("every error is JSON with --log-format json, from any part of the program and any place of the setting", async () => {
    const place = workplace();
    writeFileSync(place.path("bad.yaml"), "log-format: json\nlimt: 3\n");
    writeFileSync(place.path("fine.yaml"), "export:\n  log-format: json\n");
    const cases: [args: string[], env: Record<string, string>, message: string][] = [
      [["export", "--nonsense", ...JSON_LOGS], {}, "unknown option '--nonsense'"],
      [["export", "--nonsense", "--log-format=json"], {}, "unknown option '--nonsense'"],
      [["exprot", ...JSON_LOGS], {}, "unknown"],
      [["export", "a", "--limit", "none", ...JSON_LOGS], {}, "Write a whole number"],
      [["show", ...JSON_LOGS], {}, "missing required argument 'id'"],
      [["export", ...JSON_LOGS], {}, "Nothing is selected."],
      [["export", "--nonsense"], { CALLARCHIVE_LOG_FORMAT: "json" }, "unknown option"],
      [["export", "--nonsense", "--config", "fine.yaml"], {}, "unknown option"],
      [["export", "a", ...JSON_LOGS], { CALLARCHIVE_LIMIT: "x" }, "CALLARCHIVE_LIMIT is invalid"],
      [["export", "a"], { CALLARCHIVE_CONFIG: "bad.yaml" }, 'bad.yaml:2: unknown key "limt"'],
      [["export", "a", ...JSON_LOGS], { CALLARCHIVE_CONFIG: "none.yaml" }, "no config file at none.yaml"],
    ];
    for (const [args, env, message] of cases) {
      const ran = await place.runHere(args, { env });
      expect([args, ran.code, ran.stdout, parseLines(ran.stderr)]).toEqual([
        args,
        2,
        "",
        [expect.objectContaining({ event: "failed-run", exitCode: 2, message: expect.stringContaining(message) })],
      ]);
    }
    const text = await place.run(["export", "--nonsense", "--log-format", "text"], {
      env: { CALLARCHIVE_LOG_FORMAT: "json" },
    });
    expect(text.stderr).toContain("error: unknown option '--nonsense'\n(add --help");
  });

  test("a run logs its start, and its id is on every line and in its record", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12 });
    const ids = [...cloud.ids()];
    const ran = await place.run(["export", ...ids, "-v", "-o", "out/", ...JSON_LOGS]);
    const lines = parseLines(ran.stderr);
    expect(lines[0]).toMatchObject({
      event: "start",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      command: "export",
      ids: ids.slice(0, 5),
      idCount: 12,
      output: "out/",
      archive: "callarchive.db",
    });
    const [runId, ...others] = new Set(lines.map((line) => line.runId));
    expect([runId, others]).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/), []]);
    const { runs } = JSON.parse((await place.runHere(["status", "--json"])).stdout);
    expect(runs).toMatchObject([{ detail: { runId, exported: 12 } }]);

    const text = await place.runHere(["export", ids[0] ?? "", "-o", "x.ndjson", "-v"]);
    expect(text.stderr.split("\n")[0]).toContain("output=x.ndjson");
    expect(text.stderr).toMatch(/^\d{4}-\d\d-\d\dT\S+Z callarchive \S+ starts run [0-9a-f]{8}: export ids=/);
    for (const line of text.stderr.trimEnd().split("\n"))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
    expect(text.stderr).toContain(" 1 selected = 1 exported");
    const address = await place.runHere(["export", "-o", "https://user:password@host/x.ndjson"]);
    expect([address.code, address.stderr]).toEqual([2, expect.not.stringContaining("password")]);
    // A run like the one before is no other selection because its id is another.
    expect(text.stderr).not.toContain("runId");
  });

  test("a retry logs the action and the id", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 30, agents: 1, faults: { error: 0.3, cut: 0.3 } });
    const byId = await place.runHere(["pull", ...cloud.ids(), "-v", "--describe", "always", ...JSON_LOGS]);
    const range = ["--agent", cloud.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"];
    cloud.faults = { down: 1 };
    const listed = await place.runHere(["pull", ...range, "--retries", "1", "-v"]);
    expect(listed.stderr).toMatch(new RegExp(`ListAIAgentInstance ${cloud.agents[0]}: .* Attempt 1 failed; the next`));
    expect(listed.stderr).not.toContain("undefined");
    const ids = new Set(cloud.ids());
    const retries = events(byId, "retry");
    expect(new Set(retries.map(({ action }) => action))).toEqual(new Set(["DescribeAIAgentInstance", "download"]));
    for (const { item } of retries) expect(ids).toContain(item);
  });
});

describe("when the credentials are wrong", () => {
  test("without credentials no archive is created, but metrics are written", async () => {
    const place = workplace();
    for (const args of [
      ["export", "someone", "-o", "out.ndjson"],
      ["pull", "someone"],
    ]) {
      const ran = await place.run([...args, "--metrics-file", "m.prom"]);
      expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining("No credentials were found")]);
      expect(["callarchive.db", "out.ndjson"].map((name) => existsSync(place.path(name)))).toEqual([false, false]);
      expect(place.read("m.prom")).toMatch(/run_exit_code\{.*\} 4/);
    }
    const cloud = await place.cloud({ calls: 1 });
    await place.runHere(["pull", ...cloud.ids()]);
    const env = { ALIBABA_CLOUD_ACCESS_KEY_ID: "", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "" };
    expect((await place.run(["pull", ...cloud.ids(), "--refresh"], { env })).code).toBe(4);
    expect((await place.runHere(["status"])).stdout).toMatch(/pull +4$/m);
  });

  test("a wrong key: the message names the service's help page and doctor; doctor itself does not name doctor", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const env = { ALIBABA_CLOUD_ACCESS_KEY_ID: "LTAI5tSomebodyElses3fQx" };
    const ran = await place.run(["export", ...cloud.ids()], { env });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain("See https://api.aliyun.com/troubleshoot?q=InvalidAccessKeyId.NotFound");
    expect(ran.stderr).toContain('Run "callarchive doctor" to see which key is in use.');
    const doctor = await place.run(["doctor"], { env });
    expect(doctor.code).toBe(4);
    expect(doctor.stdout).toContain("InvalidAccessKeyId.NotFound");
    expect(doctor.stdout).toMatch(/credentials +from \S+, key LTAI…3fQx\n/);
    expect(doctor.stdout).not.toContain("callarchive doctor");
    expect(doctor.stdout + ran.stderr).not.toContain("Somebody");
  });
});

describe("smaller things", () => {
  test("counts of one are singular, and a --since in the future is reported", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1 });
    await place.runHere(["export", ...cloud.ids(), "-o", "one.ndjson"]);
    writeFileSync(place.path("one.ndjson"), "{}\n{}\n");
    const verify = await place.runHere(["verify", "one.ndjson"]);
    expect(verify.stdout).toContain("has 6 bytes");
    expect((await place.run(["doctor"])).stdout).toContain("callarchive.db: 1 conversation of");
    writeFileSync(place.path("broken.manifest.json"), JSON.stringify({ files: [7] }));
    const one = await place.runHere(["verify", "broken", "--archive", "callarchive.db"]);
    expect([one.code, one.stderr]).toEqual([3, expect.stringMatching(/^1 finding\.$/m)]);
    const future = await place.runHere(["export", "--agent", "A", "--since", "2999-01-01"]);
    expect([future.code, future.stderr]).toEqual([2, expect.stringContaining("--since 2999-01-01 lies in the future")]);
    const empty = await place.runHere(["export", "--agent", "A", "--since", "2025-02-01", "--until", "2025-01-01"]);
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining("--since comes first")]);
  });

  test("forget -n names what would be deleted and where it was written, and deletes nothing", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    const [id = "", other = ""] = cloud.ids();
    await place.runHere(["export", id, other, "-o", "out.csv"]);
    const dry = await place.runHere(["forget", id, "-n"]);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toBe(`${id}\tcsv\t${place.path("out.csv")}\n`);
    expect(dry.stderr).toContain(`${id}: would be deleted (fetched`);
    expect(dry.stderr).toContain("1 conversation would be forgotten.");
    expect((await place.runHere(["show", id, "--raw"])).code).toBe(0);
    expect((await place.runHere(["forget", id, "nobody", "-n"])).code).toBe(3);
    const done = await place.run(["forget", id]);
    expect([done.stdout, done.stderr]).toEqual([dry.stdout, expect.stringContaining("1 conversation forgotten.")]);
    expect((await place.runHere(["show", id, "--raw"])).code).toBe(2);
  });

  test("show accepts the beginning of an id if it is unique", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const body = JSON.stringify({ dialog: [] });
    const ids = ["Abcd1111", "abcd2222", "abcd22223333", "ab_d4444"].map((id) => cloud.add({ id, body }));
    await place.runHere(["pull", ...ids]);
    const show = async (id: string) => {
      const { code, stdout, stderr } = await place.runHere(["show", id, "--json"]);
      return code === 0 ? JSON.parse(stdout).id : `${code} ${stderr}`;
    };
    expect(await show("ABCD1")).toBe("Abcd1111");
    expect(await show("abcd2222")).toBe("abcd2222");
    expect(await show("abcd22223")).toBe("abcd22223333");
    expect(await show("ab_d")).toBe("ab_d4444");
    expect(await show("abc")).toContain("2 callarchive: The archive does not have abc;");
    expect(await show("zzzz")).toContain("The archive does not have zzzz;");
    expect(await show("abcd")).toContain("Several ids begin with abcd: Abcd1111, abcd2222, abcd22223333.");
  });
});
