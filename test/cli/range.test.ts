import { describe, expect, test } from "vitest";
import { SOAK } from "../helpers/soak.ts";
import { parseLines, summaryOf, workplace } from "../helpers/workplace.ts";

const day = ["--since", "2025-07-14", "--until", "2025-07-15"];
const times = { from: new Date("2025-07-14T00:00:00Z"), to: new Date("2025-07-15T00:00:00Z") };

describe("a user exports calls of an agent by range", () => {
  test("only that agent's, only in the range, ordered by start, described or not", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 300, agents: 3 });
    const [agent = ""] = cloud.agents;
    const range = ["--agent", agent, "--since", "2025-07-15", "--until", "2025-07-17"];
    const ran = await place.run(["export", ...range, "-o", "out.ndjson"]);
    expect(ran.code).toBe(0);
    const calls = place.rows<{ id: string; agentId: string; startedAt: string }>("out.ndjson");
    // 300 calls over seven days, every third of them this agent's.
    expect(calls.length).toBeGreaterThan(25);
    expect(calls.every(({ agentId }) => agentId === agent)).toBe(true);
    expect(calls.every(({ startedAt }) => startedAt >= "2025-07-15" && startedAt < "2025-07-17T00:00:01")).toBe(true);
    expect(calls.map(({ startedAt }) => startedAt)).toEqual(calls.map(({ startedAt }) => startedAt).toSorted());
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBeUndefined();

    const described = await place.runHere([
      "export",
      ...range,
      "--describe",
      "always",
      "--refresh",
      "-o",
      "more.ndjson",
    ]);
    expect(described.code).toBe(0);
    const more = place.rows<{ id: string; durationSeconds?: number }>("more.ndjson");
    expect(more.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
    expect(more.every(({ durationSeconds }) => durationSeconds !== undefined)).toBe(true);
  });

  test("thousands of calls in a day, while pages change: all of them, none twice", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: SOAK ? 12_500 : 2500, agents: 1, ...times, faults: { shift: 0.2 } });
    const [agent = ""] = cloud.agents;
    const before = [...cloud.ids()];
    const ran = await place.run(["export", "--agent", agent, ...day, "-o", "out.ndjson", "--log-format", "json"]);
    expect(ran.code).toBe(0);
    const ids = place.rows<{ id: string }>("out.ndjson").map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const exported = new Set(ids);
    expect(before.filter((id) => !exported.has(id))).toEqual([]);
    expect(summaryOf(ran)).toMatchObject({ selected: ids.length, exported: ids.length });
    // Beyond those that were there at first, some that arrived in the meantime, and nothing else.
    const all = new Set(cloud.ids());
    expect(ids.every((id) => all.has(id))).toBe(true);
    expect(cloud.stats.requests.download).toBe(ids.length);
  });

  test("a call fetched by id is not fetched again by range, and vice versa", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 30, agents: 1, ...times });
    const [agent = ""] = cloud.agents;
    const ids = [...cloud.ids()];
    await place.runHere(["pull", ...ids.slice(0, 10)]);
    const ranged = await place.run(["pull", "--agent", agent, ...day, "--log-format", "json"]);
    expect(summaryOf(ranged)).toMatchObject({ selected: 30, fetched: 30, known: 10 });
    expect(cloud.stats.requests.download).toBe(30);
    const again = await place.runHere(["export", ...ids, "-o", "out.ndjson"]);
    expect(again.code).toBe(0);
    expect(cloud.stats.requests.download).toBe(30);
    expect(place.rows("out.ndjson")).toHaveLength(30);
  });

  test("calls that have not ended have no id in a list: they are counted as open", async () => {
    const place = workplace();
    const [from, to] = [new Date(Date.now() - 6 * 3_600_000), new Date(Date.now() - 3_600_000)];
    const cloud = await place.cloud({ calls: 30, agents: 1, open: 4, from, to });
    const ran = await place.run(["export", "--agent", cloud.agents[0] ?? "", "--since", "1d", "--log-format", "json"]);
    expect(ran.code).toBe(0);
    expect(summaryOf(ran)).toMatchObject({ selected: 30, exported: 26, open: 4 });
    expect(parseLines(ran.stdout)).toHaveLength(26);
  });

  test("expired links are requested again by listing, without describing", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 250, agents: 1, ...times, faults: { expire: 0.2 } });
    const ran = await place.run(["export", "--agent", cloud.agents[0] ?? "", ...day, "-o", "out.ndjson"]);
    expect(ran.code).toBe(0);
    expect(place.rows("out.ndjson")).toHaveLength(250);
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBeUndefined();
  });

  test("what was pulled is exported offline, by range and by agent, without any request", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 60, agents: 2 });
    for (const agent of cloud.agents)
      await place.runHere(["pull", "--agent", agent, "--since", "2025-07-14", "--until", "2025-07-21"]);
    await cloud.close();
    const all = await place.run(["export", "--offline", "-f", "ndjson,csv,messages,raw", "-o", "out/"]);
    expect(all.code).toBe(0);
    expect(place.rows("out", "transcripts.ndjson")).toHaveLength(60);
    const some = await place.runHere([
      "export",
      "--offline",
      "--agent",
      cloud.agents[1] ?? "",
      "--since",
      "2025-07-16",
      "--until",
      "2025-07-18",
    ]);
    const chosen = parseLines(some.stdout);
    expect(chosen.length).toBeGreaterThan(5);
    expect(chosen.every(({ agentId }) => agentId === cloud.agents[1])).toBe(true);
    const absent = await place.runHere(["export", "--offline", "nobody", String(chosen[0]?.id)]);
    expect(absent.code).toBe(3);
    expect(parseLines(absent.stdout)).toHaveLength(1);
  });
});
