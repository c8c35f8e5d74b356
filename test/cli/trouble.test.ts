import { describe, expect, test } from "vitest";
import { SOAK } from "../helpers/soak.ts";
import { parseLines, summaryOf, workplace } from "../helpers/workplace.ts";

const everything = { throttle: 0.05, error: 0.05, reset: 0.03, expire: 0.1, cut: 0.05, slow: 0.02, shift: 0.2 };
const week = ["--since", "2025-07-14", "--until", "2025-07-21"];

describe("when the service is unreliable", () => {
  test("with every fault at once a run ends complete, by range and by id", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 400, agents: 1, faults: everything });
    const ids = [...cloud.ids()];
    const ranged = await place.run(["export", "--agent", cloud.agents[0] ?? "", ...week, "-o", "range.ndjson"]);
    expect(ranged.stderr).not.toContain("failed.");
    expect(ranged.code).toBe(0);
    const exported = new Set(place.rows("range.ndjson").map(({ id }) => id));
    expect(ids.every((id) => exported.has(id))).toBe(true);
    const byId = await place.run(["export", ...ids, "-o", "ids.ndjson", "--no-archive"]);
    expect(byId.code).toBe(0);
    expect(place.rows("ids.ndjson")).toHaveLength(400);
    expect(Object.keys(cloud.stats.errors).length).toBeGreaterThan(3);
  });

  test("a service that is down causes exit 5 and no output, and the same command continues later", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 50 });
    const ids = [...cloud.ids()];
    await place.run(["pull", ...ids.slice(0, 20)]);
    cloud.faults = { down: 1 };
    const down = await place.run(["export", ...ids, "--retries", "0", "-o", "out.ndjson"]);
    expect(down.code).toBe(5);
    expect(() => place.read("out.ndjson")).toThrow();
    expect(down.stderr).toContain("The same command continues from there");
    cloud.faults = {};
    const up = await place.run(["export", ...ids, "-o", "out.ndjson"]);
    expect(up.code).toBe(0);
    expect(place.rows("out.ndjson")).toHaveLength(50);
  });

  test("nothing listens at the endpoint: exit 5, by range too", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5 });
    await cloud.close();
    const ran = await place.run(["export", "--agent", "A", ...week, "--retries", "1"]);
    expect(ran.code).toBe(5);
    expect(ran.stderr).toContain("127.0.0.1");
  });
});

describe("when nothing can succeed a run stops at once, with exit 4", () => {
  test("a wrong secret: after a few requests, not thousands", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3000 });
    const ran = await place.run(["export", "-i", "-"], {
      env: { ALIBABA_CLOUD_ACCESS_KEY_SECRET: "not-the-secret" },
      input: [...cloud.ids()].join("\n"),
    });
    expect(ran.code).toBe(4);
    expect(ran.stderr).not.toContain("not-the-secret");
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBeLessThan(5);
  });

  test("a denied action: the message names it, and a policy that grants it", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3000, deny: ["DescribeAIAgentInstance"] });
    const ran = await place.run(["export", "-i", "-"], { input: [...cloud.ids()].join("\n") });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain('"ice:DescribeAIAgentInstance"');
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBeLessThan(5);
  });

  test("no credentials: one message that lists the ways to set them, within three seconds", async () => {
    const place = workplace();
    const begun = Date.now();
    const ran = await place.run(["export", "someone"], { env: { ALIBABA_CLOUD_ECS_METADATA_DISABLED: "false" } });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain("ALIBABA_CLOUD_ACCESS_KEY_ID");
    expect(ran.stderr).toContain("--profile");
    if (SOAK) expect(Date.now() - begun).toBeLessThan(6000);
  });

  test("a clock that is off", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, now: () => new Date(Date.now() + 3_600_000) });
    const ran = await place.run(["export", ...cloud.ids()]);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toMatch(/clock/i);
  });
});

describe("hostile and broken documents crash nothing, are not lost, and each has its state", () => {
  const log = (text: unknown, more: object = {}): string =>
    JSON.stringify({
      startTime: 1755138072.5,
      dialog: [{ id: 1, begin: 1, role: "user", type: "normal", text }],
      ...more,
    });
  const cases: [name: string, body: string | Uint8Array, state: string, headers?: Record<string, string>][] = [
    ["cut JSON", log("hello").slice(0, -9), "invalid"],
    ["HTML", "<html><body>Bad gateway</body></html>", "invalid"],
    ["null", "null", "invalid"],
    ["an array", "[]", "invalid"],
    ["nothing", "", "invalid"],
    ["a text that is a number", log(5), "invalid"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0xfe]), "invalid"],
    ["a byte order mark", `\ufeff${log("hello")}`, "fetched"],
    ["a lone surrogate", log("x").replace('"x"', '"a\\ud83db"'), "fetched"],
    ["an empty dialog", JSON.stringify({ dialog: [] }), "fetched"],
    ["an unknown role and type", log("x").replace('"user"', '"robot"').replace('"normal"', '"whisper"'), "fetched"],
    ["new fields", log("hi", { mood: { score: 1 } }), "fetched"],
    [
      "duplicate turn ids",
      log("a").replace("}]", '},{"id":1,"begin":2,"role":"agent","type":"normal","text":"b"}]'),
      "fetched",
    ],
    ["100 KB of text", log("长".repeat(34_000)), "fetched"],
    ["64 MB and one byte", Buffer.alloc(64 * 1024 * 1024 + 1, 0x20), "failed"],
  ];

  test("all in one run", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3 });
    const named = new Map<string, string>();
    for (const [index, [name, body]] of cases.entries())
      named.set(cloud.add({ id: `c${String(index).padStart(3, "0")}`, body }), name);
    const ids = [...cloud.ids()];
    const ran = await place.run([
      "export",
      ...ids,
      "-f",
      "ndjson,csv,messages,raw",
      "-o",
      "out/",
      "--log-format",
      "json",
    ]);
    expect(ran.code).toBe(3);
    const listed = parseLines((await place.runHere(["list", "--json"])).stdout);
    const states = new Map(listed.map(({ id, state }) => [id, state]));
    for (const [index, [name, , state]] of cases.entries())
      expect({ name, state: states.get(`c${String(index).padStart(3, "0")}`) }).toEqual({ name, state });
    const want = (state: string): number => cases.filter((each) => each[2] === state).length;
    expect(summaryOf(ran)).toMatchObject({
      selected: cases.length + 3,
      exported: want("fetched") + 3,
      invalid: want("invalid"),
      failed: 1,
    });
    expect(place.read("out", "transcripts.ndjson")).not.toMatch(/\\ud83d(?!\\ud)/);
    // The bytes of what is invalid are kept as they came.
    const html = await place.runHere(["show", "c001", "--raw"]);
    expect(html.stdout).toBe("<html><body>Bad gateway</body></html>");
    const seen = new Set(place.rows<{ id: string }>("out", "transcripts.ndjson").map(({ id }) => id));
    expect([...named.keys()].filter((id) => seen.has(id))).toHaveLength(want("fetched"));
  });

  test("a document that names another call is not accepted for this one", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const id = cloud.add({ id: "mine", body: log("x", { instanceid: "another" }) });
    const same = cloud.add({ id: "abc", body: log("x", { InstanceId: "ABC" }) });
    const ran = await place.run(["export", id, same]);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("belongs to another call");
    expect(parseLines(ran.stdout).map((row) => row.id)).toEqual([same]);
  });

  test("a link to a host that is not allowed is refused, not followed", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const id = cloud.add({ id: "stray", link: "https://example.com/log.json?Signature=SIGNATUREx" });
    const ran = await place.run(["export", id]);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("--allow-host");
    expect(ran.stderr).not.toContain("SIGNATUREx");
  });

  test("a log that is not written yet leaves the call open", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1 });
    const now = new Date();
    const id = cloud.add({
      id: "fresh",
      start: now,
      link: `${cloud.url}/call-logs/none.json`,
      instance: { GmtModified: now.toISOString() },
    });
    const gone = cloud.add({
      id: "gone",
      link: `${cloud.url}/call-logs/gone.json`,
      instance: { GmtModified: "2025-07-01T00:00:00.000+00:00" },
    });
    const ran = await place.run(["export", id, gone, "--log-format", "json"]);
    expect(summaryOf(ran)).toMatchObject({ selected: 2, open: 1, missing: 1 });
  });
});

describe("no secret leaves the program", () => {
  test("neither AuthToken nor link signature nor key is in the archive, the outputs or the messages", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 60, agents: 1, faults: { expire: 0.2, error: 0.1, cut: 0.1 } });
    const ids = [...cloud.ids()];
    const bad = cloud.add({ id: "bad", body: "<html>", instance: { UserData: '{"AuthToken":"AUTHTOKENnested"}' } });
    const runs = [
      await place.run(["export", ...ids, bad, "-v", "-f", "ndjson,csv,messages,raw", "-o", "out/"]),
      await place.run([
        "export",
        "--agent",
        cloud.agents[0] ?? "",
        ...week,
        "--describe",
        "always",
        "--refresh",
        "-v",
        "--log-format",
        "json",
        "-o",
        "more/",
      ]),
      await place.runHere(["list", "--json"]),
      await place.runHere(["show", ids[0] ?? "", "--meta"]),
      await place.runHere(["status", "--json"]),
      await place.run(["doctor", "--json"]),
    ];
    const { execFileSync } = await import("node:child_process");
    const talk = runs.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    expect(talk.length).toBeGreaterThan(5000);
    for (const secret of ["AUTHTOKEN", "SIGNATURE", "OSSAccessKeyId", "emulator-secret"]) {
      expect(talk).not.toContain(secret);
      // grep -c over every file of the folder, the database and its log included.
      const hits = execFileSync("sh", ["-c", `grep -rlaF -- ${secret} . || true`], { cwd: place.folder }).toString();
      expect(hits).toBe("");
    }
  });
});
