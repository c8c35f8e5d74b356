import { describe, expect, test } from "vitest";
import { parseLines, workplace } from "../helpers/workplace.ts";

const COMMANDS = ["export", "pull", "list", "show", "status", "doctor", "emulate", "demo"];

describe("help", () => {
  test("names every command, and each command's help has examples and fits a terminal", async () => {
    const place = workplace();
    const main = await place.run(["--help"]);
    expect(main.code).toBe(0);
    // The first was written down when the program was built.
    expect(main).toEqual(await place.run(["help"]));
    expect(main).toEqual(await place.run(["-h"]));
    for (const name of COMMANDS) {
      expect(main.stdout).toContain(`  ${name} `);
      const help = await place.run([name, "--help"]);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain("Examples:");
      expect(help.stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
      expect((await place.run(["help", name])).stdout).toBe(help.stdout);
    }
  });

  test("--version is the package's", async () => {
    const { version } = await import("../../package.json", { with: { type: "json" } }).then((module) => module.default);
    const ran = await workplace().run(["--version"]);
    expect(ran).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect(await workplace().run(["-V"])).toEqual(ran);
  });

  test("a missing command is a usage error; for an unknown one the nearest is suggested", async () => {
    const place = workplace();
    const none = await place.run([]);
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toContain("Usage:");
    const wrong = await place.run(["exprot"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Did you mean export?");
  });
});

describe("messages", () => {
  test("have no colors outside a terminal or with NO_COLOR, and have them on request", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2 });
    const esc = String.fromCharCode(27);
    const ids = [...cloud.ids()];
    const plain = await place.run(["export", ...ids]);
    const none = await place.run(["export", ...ids], { env: { NO_COLOR: "1", FORCE_COLOR: "1" } });
    const always = await place.run(["export", ...ids, "--color", "always"]);
    expect([plain, none, always].map(({ stderr }) => stderr.includes(esc))).toEqual([false, false, true]);
    expect(always.stdout).not.toContain(esc);
  });

  test("-q prints nothing on success; JSON logs are JSON to the last line", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2 });
    expect((await place.run(["export", ...cloud.ids(), "-q"])).stderr).toBe("");
    const json = await place.run(["export", ...cloud.ids(), "nobody", "-v", "--log-format", "json"]);
    const lines = parseLines(json.stderr);
    expect(lines.at(-1)).toMatchObject({ event: "summary", selected: 3, missing: 1, exitCode: 3 });
    expect(lines.every(({ ts, level, event }) => ts && level && event)).toBe(true);
  });

  test("every flag can be set in the environment, and the command line wins", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 4 });
    const env = { CALLARCHIVE_FORMAT: "csv", CALLARCHIVE_NO_ARCHIVE: "true", CALLARCHIVE_LIMIT: "1" };
    const csv = await place.run(["export", ...cloud.ids()], { env });
    expect(csv.stdout.startsWith("call_id,")).toBe(true);
    expect((await place.run(["status"])).code).toBe(2);
    const ndjson = await place.run(["export", ...cloud.ids(), "-f", "ndjson", "--limit", "3"], { env });
    expect(parseLines(ndjson.stdout)).toHaveLength(3);
    const wrong = await place.run(["export", "x"], { env: { CALLARCHIVE_LIMIT: "many" } });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("CALLARCHIVE_LIMIT")]);
  });
});

describe("reading the archive", () => {
  test("list, show and status print what the archive has", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1 });
    const ids = [...cloud.ids()];
    await place.run(["pull", "--agent", cloud.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"]);
    await place.run(["pull", "nobody"]);
    const listed = parseLines((await place.run(["list", "--json"])).stdout);
    expect(listed.map(({ id }) => id).toSorted()).toEqual([...ids, "nobody"].toSorted());
    expect((await place.run(["list", "--state", "missing"])).stdout).toContain("nobody");
    const [id = ""] = ids;
    const raw = await place.run(["show", id, "--raw"]);
    expect(raw.stdout).toBe(Buffer.from(cloud.callLog(id) ?? []).toString());
    expect(JSON.parse((await place.run(["show", id.toUpperCase(), "--json"])).stdout)).toMatchObject({ id });
    expect((await place.run(["show", id])).stdout).toContain("(greeting)");
    expect((await place.run(["show", "nobody"])).code).toBe(2);
    expect((await place.run(["show", "else"])).stderr).toContain("The archive does not have else");
    const status = JSON.parse((await place.run(["status", "--json"])).stdout);
    expect(status).toMatchObject({
      counts: { fetched: 12, missing: 1 },
      agents: [{ agentId: cloud.agents[0], calls: 12 }],
    });
    expect(status.runs.map(({ exitCode }: { exitCode: number }) => exitCode)).toEqual([3, 0]);
    expect((await place.run(["status"])).stdout).toContain("12 fetched");
  });

  test("a missing archive is an error, and is not created", async () => {
    const place = workplace();
    for (const args of [["list"], ["status"], ["show", "x"], ["export", "--offline"]]) {
      const ran = await place.run(args);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("There is no archive at")]);
    }
  });
});

describe("doctor", () => {
  test("reports no errors with the emulator", async () => {
    const place = workplace();
    await place.cloud({ calls: 1 });
    const ran = await place.run(["doctor"]);
    expect(ran.stdout).not.toContain("FAIL");
    expect(ran.code).toBe(0);
    for (const check of ["node", "proxy", "credentials", "endpoint", "clock", "client", "describe", "list", "archive"])
      expect(ran.stdout).toContain(`ok    ${check}`);
  });

  test("reports missing credentials, a denied action, a wrong clock, and an unreachable service", async () => {
    const place = workplace();
    const none = await place.run(["doctor"]);
    expect([none.code, none.stdout]).toEqual([4, expect.stringContaining("ALIBABA_CLOUD_ACCESS_KEY_ID")]);
    await place.cloud({ deny: ["ListAIAgentInstance"] });
    const denied = await place.run(["doctor"]);
    expect([denied.code, denied.stdout]).toEqual([
      4,
      expect.stringMatching(/ok {4}describe[\s\S]*FAIL {2}list[\s\S]*ice:ListAIAgentInstance/),
    ]);
    await place.cloud({ now: () => new Date(Date.now() - 7_200_000) });
    const clock = await place.run(["doctor"]);
    expect([clock.code, clock.stdout]).toEqual([4, expect.stringMatching(/720\d s ahead/)]);
    await place.emulator?.close();
    const nobody = await place.run(["doctor"]);
    expect([nobody.code, nobody.stdout]).toEqual([5, expect.stringContaining("FAIL  endpoint")]);
  });
});

describe("emulate and demo", () => {
  test("emulate prints the environment variables for callarchive, and ends on a signal", async () => {
    const place = workplace();
    const ran = await place.run(["emulate", "--calls", "5", "--agents", "1"], {
      started: (child) =>
        child.stderr?.on("data", (text: string) => {
          if (String(text).includes("Ctrl-C")) child.kill("SIGINT");
        }),
    });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^export CALLARCHIVE_ENDPOINT=http:\/\/127\.0\.0\.1:\d+$/m);
    expect(ran.stdout).toMatch(/^export CALLARCHIVE_AGENT=\w+$/m);
  });

  test("emulate refuses unknown faults", async () => {
    const ran = await workplace().run(["emulate", "--faults", "flood=0.5"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining("flood")]);
  });

  test("demo runs an export, twice in the same folder", async () => {
    const place = workplace();
    for (const _ of [1, 2]) {
      const ran = await place.run(["demo"]);
      expect(ran.stderr).toContain("60 selected = 60 exported");
      expect(ran.code).toBe(0);
      expect(place.rows("callarchive-demo", "transcripts.ndjson")).toHaveLength(60);
    }
  });
});
