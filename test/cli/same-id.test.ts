import { describe, expect, test } from "vitest";
import { parseLines, summaryOf, workplace } from "../helpers/workplace.ts";

const log = (startTime: number, text: string): string =>
  JSON.stringify({
    instanceid: "Shared",
    startTime,
    dialog: [{ id: 1, begin: 1, role: "user", type: "normal", text }],
  });

describe("two call logs that carry one instance id and differ", () => {
  test("are both kept, whichever is met first: one has the id, the other is invalid, counted and warned of", async () => {
    const seen: unknown[] = [];
    for (const order of [
      ["early", "late"],
      ["late", "early"],
    ]) {
      const place = workplace();
      const cloud = await place.cloud({ calls: 2, agents: 1 });
      const range = ["--agent", cloud.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"];
      const bodies = { early: log(1752667200, "EARLY"), late: log(1752667260, "LATE") };
      for (const name of order) {
        cloud.add({ id: name, start: new Date("2025-07-16T12:00:00Z"), body: bodies[name as "early"] });
        const ran = await place.run(["export", ...range, "--log-format", "json", "-o", "out.ndjson"]);
        if (name === order[0]) {
          expect([ran.code, summaryOf(ran).exported]).toEqual([0, 3]);
          continue;
        }
        expect(ran.code).toBe(3);
        expect(summaryOf(ran)).toMatchObject({ selected: 4, exported: 3, invalid: 1 });
        const [warning] = parseLines(ran.stderr).filter(({ event }) => event === "invalid");
        expect(warning).toMatchObject({ level: "warn", code: "SameId", sameAs: "Shared" });
        expect(String(warning?.id)).toMatch(/^link-[0-9a-f]{32}$/);
        expect(place.rows("out.ndjson").map(({ id }) => id)).toContain("Shared");
        const both = [
          (await place.runHere(["show", "shared", "--raw"])).stdout,
          (await place.runHere(["show", String(warning?.id), "--raw"])).stdout,
        ];
        expect(both).toEqual([bodies.early, bodies.late]);
        seen.push(both);
      }
      // Final: neither is asked for again, by range or by id.
      const before = cloud.stats.requests.download;
      const again = await place.runHere(["pull", ...range]);
      await place.runHere(["pull", "Shared"]);
      expect([again.code, cloud.stats.requests.download]).toEqual([3, before]);
      const verified = await place.runHere(["verify", "--remote", ...range]);
      expect(verified.code).toBe(3);
      expect(verified.stdout).toMatch(/^link-[0-9a-f]{32}: the cloud lists it, but in the archive it is invalid\n$/);
    }
    expect(seen[1]).toEqual(seen[0]);
  });

  test("asked for by id, too; --refresh of a link replaces the document at that link", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const range = ["--agent", cloud.agents[0] ?? "", "--since", "2025-07-14", "--until", "2025-07-21"];
    const start = new Date("2025-07-16T12:00:00Z");
    cloud.add({ id: "Shared", start, body: log(1752667260, "BY ID") });
    await place.runHere(["pull", "Shared"]);
    cloud.add({ id: "other", start, body: log(1752667200, "LISTED, the longer one") });
    // The longer one wins: what was known by the id before is known by its link now.
    const ran = await place.runHere(["pull", ...range]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("2 selected = ")]);
    expect(ran.stderr).toMatch(/link-[0-9a-f]{32}: invalid: .* instance id as another call log, Shared, and differs/);
    const show = async (id: string) => (await place.runHere(["show", id, "--raw"])).stdout;
    expect(await show("Shared")).toContain("LISTED");
    const [aside] = parseLines<{ id: string }>((await place.runHere(["status", "--failed"])).stdout);
    expect(await show(aside?.id ?? "")).toContain("BY ID");
    // The service answers for the id with the other log: that one is refreshed, and nothing is replaced by it.
    cloud.add({ id: "Shared", start, body: log(1752667260, "BY ID, again") });
    expect((await place.runHere(["pull", "Shared", "--refresh"])).code).toBe(3);
    expect(await show("Shared")).toContain("LISTED");
    expect(await show(aside?.id ?? "")).toContain("BY ID, again");
    cloud.add({ id: "other", start, body: log(1752667200, "LISTED, the longer one, again") });
    await place.runHere(["pull", ...range, "--refresh"]);
    expect(await show("Shared")).toContain("LISTED, the longer one, again");
    expect((await place.runHere(["verify"])).code).toBe(0);
  });
});
