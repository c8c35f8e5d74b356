import { describe, expect, test } from "vitest";
import { parseLines, type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const day = ["--since", "2025-07-14", "--until", "2025-07-15"];
const times = { from: new Date("2025-07-14T00:00:00Z"), to: new Date("2025-07-15T00:00:00Z") };

const eventsOf = ({ stderr }: Ran, name: string) => parseLines(stderr).filter(({ event }) => event === name);
const cursorOf = async (place: Workplace): Promise<unknown> =>
  JSON.parse((await place.runHere(["status", "--json"])).stdout).agents[0]?.cursor;

describe("a listing is complete", () => {
  test("even if calls vanish from pages that were read, so that the next page begins too late", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 450, agents: 1, ...times, seed: 4, faults: { vanish: 0.3 } });
    const before = [...cloud.ids()];
    const ran = await place.run([
      ...["export", "--agent", cloud.agents[0] ?? "", ...day, "-o", "out.ndjson", "--log-format", "json"],
    ]);
    expect(ran.code).toBe(0);
    const exported = new Set(place.rows("out.ndjson").map(({ id }) => id));
    expect(before.filter((id) => !exported.has(id))).toEqual([]);
    // Those that one pass alone would have lost are counted.
    expect(summaryOf(ran).listedLate).toBeGreaterThan(0);
    expect(summaryOf(ran)).toMatchObject({ selected: 450, exported: 450 });
  });

  test("pages that change in every pass leave the window unsettled: one warning, and the cursor stays until they are stable", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 250, agents: 1, ...times, faults: { vanish: 1 } });
    const args = ["pull", "--agent", cloud.agents[0] ?? "", ...day];
    const ran = await place.run([...args, "--log-format", "json"]);
    expect(ran.code).toBe(0);
    expect(eventsOf(ran, "keeps-moving")).toMatchObject([{ level: "info", passes: 5 }]);
    expect(cloud.stats.requests.ListAIAgentInstance).toBe(5 * 3 + 1);
    expect(await cursorOf(place)).toBe("2025-07-14T00:00:00.000Z");
    cloud.faults = {};
    const calm = await place.runHere(args);
    expect([calm.code, calm.stderr]).toEqual([0, expect.not.stringContaining("read again")]);
    expect(await cursorOf(place)).toBe("2025-07-15T00:00:00.000Z");
  });

  test.each([
    ["cap", "the next page continues after the listed calls"],
    ["clip", "the next page continues after the requested number"],
  ])("even if the service lists 50 calls when 100 are requested, and %s: %s", async (fault) => {
    const place = workplace();
    const faults = { [fault]: 50, expire: 0.2 };
    const cloud = await place.cloud({ calls: 330, agents: 1, ...times, faults });
    const args = ["export", "--agent", cloud.agents[0] ?? "", ...day, "-o", "out.ndjson", "--log-format", "json"];
    const ran = await place.run(args);
    expect(ran.code).toBe(0);
    expect(summaryOf(ran)).toMatchObject({ selected: 330, exported: 330, listedLate: 0 });
    expect(new Set(place.rows("out.ndjson").map(({ id }) => id))).toEqual(new Set(cloud.ids()));
  });

  test("also with more calls than capped pages can list: the window is split", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1250, agents: 1, ...times, faults: { cap: 10 } });
    const ran = await place.runHere(["pull", "-n", "-v", "--agent", cloud.agents[0] ?? "", ...day]);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("1,250 calls selected")]);
    expect(ran.stderr).toContain("more calls than the service lists at once");
  });

  test("a window of one page is listed once: a short page costs one more request, and none once a full one was seen", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const add = (time: string, count: number): void => {
      for (let n = 0; n < count; n += 1) cloud.add({ start: new Date(Date.parse(time) + n * 1000) });
    };
    const requests = async (): Promise<number> => {
      const before = cloud.stats.requests.ListAIAgentInstance ?? 0;
      const range = ["--since", "2025-07-14", "--until", "2025-07-18"];
      await place.runHere(["pull", "-n", "--agent", cloud.agents[0] ?? "", ...range]);
      return (cloud.stats.requests.ListAIAgentInstance ?? 0) - before;
    };
    // One for the second after the range, and one for each day.
    expect(await requests()).toBe(5);
    add("2025-07-15T12:00:00Z", 7);
    add("2025-07-17T12:00:00Z", 7);
    expect(await requests()).toBe(5 + 2);
    // Two pages, read twice; after that a short page is the last.
    add("2025-07-14T12:00:00Z", 130);
    expect(await requests()).toBe(5 + 3);
  });
});

describe("shards", () => {
  test("a call that has not ended and has no id is counted in one shard, and holds back the cursors of all shards", async () => {
    const place = workplace();
    const start = Date.parse("2025-09-01T00:00:00Z");
    let at = start + 5 * 3_600_000;
    const cloud = await place.cloud({ calls: 0, agents: 1, seed: 2, now: () => new Date(at) });
    const [agent = ""] = cloud.agents;
    for (let n = 0; n < 8; n += 1) cloud.add({ start: new Date(start + n * 60_000) });
    const running = cloud.add({ start: new Date(start + 3_600_000), status: "Executing" });
    const shards = [1, 2, 3];
    const export_ = async (since: string) => {
      const ran: Ran[] = [];
      for (const k of shards)
        ran.push(
          await place.runHere(
            [
              ...["export", "--agent", agent, "--shard", `${k}/3`, "--archive", `${k}.db`, "--log-format", "json"],
              ...["--new", "-o", `${k}/`, "--since", since, "--lookback", "0"],
            ],
            { at },
          ),
        );
      return ran;
    };
    const first = await export_("2025-09-01T00:00:00Z");
    expect(first.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(first.map((ran) => Number(summaryOf(ran).open)).reduce((a, b) => a + b)).toBe(1);
    cloud.finish(running);
    at += 30 * 3_600_000;
    const second = await export_("last");
    expect(second.map(({ code }) => code)).toEqual([0, 0, 0]);
    const parts = shards.flatMap((k) =>
      [1, 2].flatMap((part) => {
        try {
          return place.rows<{ id: string }>(`${k}`, `transcripts-0000${part}.ndjson`).map(({ id }) => id);
        } catch {
          return [];
        }
      }),
    );
    expect(parts.toSorted()).toEqual([...cloud.ids()].toSorted());
  });
});
