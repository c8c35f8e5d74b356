import { describe, expect, test } from "vitest";
import { parseLines, summaryOf, workplace } from "../helpers/workplace.ts";

const week = ["--since", "2025-07-14", "--until", "2025-07-21"];
const HOUR = 3_600_000;

describe("an agent that has never listed a call", () => {
  test("causes a warning and exit 3 in every run, of pull, export, a dry run and verify --remote", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1 });
    const [agent = ""] = cloud.agents;
    const warning = `Agent typo has never listed a call: check --agent and --endpoint (${cloud.url})`;
    for (const command of [["pull"], ["export", "-o", "out.ndjson"], ["pull", "-n"], ["pull"]]) {
      const ran = await place.run([...command, "--agent", "typo", ...week]);
      expect([command, ran.code, ran.stderr]).toEqual([command, 3, expect.stringContaining(warning)]);
    }
    const json = await place.runHere(["pull", "--agent", "typo", "--agent", agent, ...week, "--log-format", "json"]);
    expect(json.code).toBe(3);
    expect(summaryOf(json)).toMatchObject({ selected: 12, fetched: 12, silentAgents: 1, exitCode: 3 });
    expect(parseLines(json.stderr)).toContainEqual(
      expect.objectContaining({ level: "warn", event: "never-listed", agentId: "typo" }),
    );
    const verified = await place.runHere(["verify", "--remote", "--agent", "typo", "--since", "2025-08-01"]);
    expect([verified.code, verified.stdout]).toEqual([
      3,
      `agent typo: has never listed a call: check --agent and --endpoint (${cloud.url})\n`,
    ]);
    const allowed = await place.runHere(["pull", "--agent", "typo", ...week, "--allow-empty"]);
    expect([allowed.code, allowed.stderr]).toEqual([0, expect.stringContaining(warning)]);
  });

  test("keeps its cursor at the start of the first run, so that no call is lost after the mistake is corrected", async () => {
    const place = workplace();
    let at = Date.parse("2025-09-10T00:00:00Z");
    const cloud = await place.cloud({ calls: 0, agents: 1, now: () => new Date(at) });
    const run = (...args: string[]) => place.runHere(args, { at });
    const agent = ["--agent", cloud.agents[0] ?? ""];
    expect((await run("pull", ...agent, "--since", "2025-09-01")).code).toBe(3);
    // As if the right region were asked only now.
    cloud.add({ start: new Date("2025-09-03T12:00:00Z") });
    at += 48 * HOUR;
    const found = await run("pull", ...agent, "--since", "last", "--log-format", "json");
    expect([found.code, summaryOf(found)]).toEqual([0, expect.objectContaining({ fetched: 1, silentAgents: 0 })]);
    // From now on a range without calls is nothing to worry about.
    at += 48 * HOUR;
    const quiet = await run("pull", ...agent, "--since", "last", "--log-format", "json");
    expect([quiet.code, summaryOf(quiet)]).toEqual([0, expect.objectContaining({ selected: 0, silentAgents: 0 })]);
  });

  test("is different from an agent whose calls all belong to other shards", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1 });
    const agent = ["--agent", cloud.agents[0] ?? ""];
    for (const shard of ["1/2", "2/2"])
      for (const range of [week, ["--since", "2025-06-01", "--until", "2025-06-03"]]) {
        const ran = await place.runHere(["pull", ...agent, ...range, "--shard", shard, "--archive", `${shard[0]}.db`]);
        expect([shard, ran.code, ran.stderr]).toEqual([shard, 0, expect.not.stringContaining("never listed")]);
      }
  });

  test("is found by doctor --agent, with one small request a day; doctor shows the region", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 2, now: () => new Date() });
    const [agent = "", idle = ""] = cloud.agents;
    cloud.add({ agent, start: new Date(Date.now() - 50 * HOUR) });
    cloud.add({ agent: idle, start: new Date("2025-07-14T12:00:00Z") });
    const fine = await place.run(["doctor", "--agent", agent]);
    expect([fine.code, fine.stdout]).toEqual([0, expect.stringContaining(`${agent} lists calls`)]);
    expect(fine.stdout).toContain(`${cloud.url} (set by --endpoint: --region is not used): reached`);
    // One asks whether listing is permitted.
    expect(cloud.stats.requests.ListAIAgentInstance).toBe(1 + 3);
    const silent = await place.run(["doctor", "--agent", idle]);
    expect([silent.code, silent.stdout]).toEqual([
      3,
      expect.stringContaining(`${idle} has listed no call in the last 30 days: check --agent and --endpoint`),
    ]);
    expect((await place.runHere(["pull", "--agent", idle, ...week])).code).toBe(0);
    const known = await place.run(["doctor", "--agent", idle, "--json"]);
    expect([known.code, known.stdout]).toEqual([0, expect.stringContaining("the archive has older ones")]);
    const regional = await place.run(["doctor", "--region", "cn-beijing", "--retries", "0"], {
      env: { CALLARCHIVE_ENDPOINT: "", HTTPS_PROXY: "http://127.0.0.1:9" },
    });
    expect(regional.stdout).toContain("https://ice.cn-beijing.aliyuncs.com (region cn-beijing): ");
  }, 60_000);
});

describe("verify --remote", () => {
  test("compares up to the cursor or to --until, and prints the end", async () => {
    const place = workplace();
    const at = Date.parse("2025-09-03T00:00:00Z");
    const cloud = await place.cloud({ calls: 0, agents: 1, now: () => new Date(at) });
    const run = (...args: string[]) => place.runHere(args, { at });
    const agent = ["--agent", cloud.agents[0] ?? ""];
    const since = ["--since", "2025-09-01"];
    cloud.add({ start: new Date(at - 30 * HOUR) });
    const fresh = cloud.add({ start: new Date(at - 5 * 60_000) });
    expect((await run("pull", ...agent, ...since, "--until", "2025-09-02")).code).toBe(0);
    const later = cloud.add({ start: new Date(at - 20 * HOUR) });
    const green = await run("verify", "--remote", ...agent, ...since);
    expect([green.code, green.stdout]).toEqual([0, ""]);
    expect(green.stderr).toContain("compared up to 2025-09-02T00:00:00.000Z (its cursor)");
    const all = await run("verify", "--remote", ...agent, ...since, "--until", "now");
    expect([all.code, all.stdout.trim().split("\n").length]).toEqual([3, 2]);
    expect(all.stderr).toContain("compared up to 2025-09-03T00:00:0");
    // Nothing was compared: that is not green.
    const none = await run("verify", "--remote", ...agent, "--since", "last");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("nothing to compare")]);
    // Without a cursor: all but what may not be listed yet.
    await run("pull", later, fresh, "--archive", "ids.db");
    const margin = await run("verify", "--remote", ...agent, "--since", "22h", "--archive", "ids.db");
    expect([margin.code, margin.stderr]).toEqual([0, expect.stringContaining("2025-09-02T23:50:0")]);
  });
});

describe("a destination whose first export has --since last", () => {
  test("causes a warning with the command that writes the older calls; a destination with parts does not", async () => {
    const place = workplace();
    let at = Date.parse("2025-09-10T00:00:00Z");
    const cloud = await place.cloud({ calls: 0, agents: 1, now: () => new Date(at) });
    const run = (...args: string[]) => place.runHere(args, { at });
    const [agent = ""] = cloud.agents;
    for (let day = 0; day < 5; day += 1) cloud.add({ start: new Date(at - (8 - day) * 24 * HOUR) });
    const base = ["export", "--agent", agent, "--new"];
    const first = await run(...base, "--since", "2025-09-01", "-o", "one/");
    at += HOUR;
    const again = await run(...base, "--since", "last", "-o", "one/");
    for (const ran of [first, again]) expect([ran.code, ran.stderr]).toEqual([0, expect.not.stringContaining("older")]);
    const more = ["-f", "ndjson,csv", "--redact-pattern", "badge=[A-Z] \\d"];
    const second = await run(...base, "--since", "last", "-o", "two/", ...more);
    expect(second.code).toBe(0);
    const command = /callarchive (export --offline --new -o two\/ .*)$/m.exec(second.stderr)?.[1] ?? "";
    expect(command).toBe(
      `export --offline --new -o two/ --agent ${agent} -f ndjson,csv --redact-pattern 'badge=[A-Z] \\d'`,
    );
    const { execFileSync } = await import("node:child_process");
    const words = execFileSync("sh", ["-c", `printf '%s\\n' ${command}`])
      .toString()
      .trimEnd()
      .split("\n");
    expect((await run(...words)).code).toBe(0);
    expect(place.rows("two", "transcripts-00001.ndjson")).toHaveLength(5);
    const now = await run(...base, "--since", "last", "-o", "two/", ...more);
    expect(now.stderr).not.toContain("older");
    // Another format of the same place is another destination.
    const other = await run(...base, "--since", "last", "-o", "one/", "-f", "messages");
    expect(other.stderr).toContain("The first output to one/ in this format begins at");
  });
});
