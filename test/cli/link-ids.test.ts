import { describe, expect, test } from "vitest";
import { parseLines, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const START = new Date("2025-07-16T10:00:00Z");
const GOOD = JSON.stringify({ dialog: [{ id: 1, begin: 1, role: "user", type: "normal", text: "mended" }] });

interface Trouble {
  id: string;
  state: string;
  code: string;
}

/** A week of calls, three of which are known by their link alone: one invalid, one too large, one in order. */
const prepared = async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 4, agents: 2 });
  const [agent = "", other = ""] = cloud.agents;
  cloud.add({ id: "bad", start: START, body: "<html>502</html>" });
  cloud.add({ id: "huge", start: START, body: JSON.stringify({ dialog: [], pad: "x".repeat(1_200_000) }) });
  cloud.add({ id: "plain", start: START, body: GOOD });
  const range = ["--agent", agent, ...WEEK];
  const first = await place.run([
    ...["pull", ...range, "--max-document-size", "1MB", "--error-file", "errors.ndjson", "--log-format", "json"],
  ]);
  const errors = place.rows<Trouble>("errors.ndjson");
  return { place, cloud, agent, other, range, first, errors };
};

const stateOf = async (place: Workplace, id: string): Promise<unknown> =>
  parseLines((await place.runHere(["list", "--json"])).stdout).find((row) => row.id === id)?.state;

describe("a call of which only the link is known", () => {
  test("has one id in logs, error file and list, and every suggested command works with it", async () => {
    const { place, cloud, first, errors } = await prepared();
    expect([first.code, errors.map(({ state }) => state).toSorted()]).toEqual([3, ["failed", "invalid"]]);
    for (const { id } of errors) expect(id).toMatch(/^link-[0-9a-f]{32}$/);
    const ids = errors.map(({ id }) => id).toSorted();
    const logged = parseLines(first.stderr).filter(({ event }) => event === "failed" || event === "invalid");
    expect(logged.map(({ id }) => id).toSorted()).toEqual(ids);
    const listed = parseLines((await place.runHere(["list", "--json"])).stdout);
    expect(ids.every((id) => listed.some((row) => row.id === id))).toBe(true);
    const bad = errors.find(({ state }) => state === "invalid")?.id ?? "";

    // As the message of an invalid call says: its bytes, and asking again.
    const shown = await place.runHere(["show", bad]);
    expect([shown.code, shown.stderr]).toEqual([2, expect.stringContaining(`show ${bad} --raw`)]);
    expect((await place.runHere(["show", bad, "--raw"])).stdout).toBe("<html>502</html>");
    const asked = await place.runHere(["pull", "-i", "errors.ndjson", "--refresh", "--log-format", "json"]);
    expect(summaryOf(asked)).toMatchObject({ selected: 2, invalid: 1, fetched: 1, missing: 0 });

    cloud.add({ id: "bad", start: START, body: GOOD });
    const again = await place.run(["export", bad, "--refresh"]);
    expect([again.code, parseLines(again.stdout)]).toEqual([
      0,
      [expect.objectContaining({ id: bad, turns: [expect.objectContaining({ text: "mended" })] })],
    ]);
    expect((await place.run(["export", "--offline", bad.toUpperCase()])).stdout).toBe(again.stdout);
  });

  test("keeps its stored document if it cannot be refreshed, and the message has the reason", async () => {
    const { place, cloud, other, errors } = await prepared();
    const listed = parseLines((await place.runHere(["list", "--state", "fetched", "--json"])).stdout);
    const bad = errors.find(({ state }) => state === "invalid")?.id ?? "";
    const plain = String(listed.find(({ id }) => String(id).startsWith("link-"))?.id);
    // The service lists them no more where they were.
    for (const id of ["bad", "plain"]) cloud.add({ id, agent: other, start: START, body: GOOD });
    const ran = await place.runHere(["pull", bad, plain, "--refresh", "--log-format", "json"]);
    expect([ran.code, summaryOf(ran)]).toEqual([
      3,
      expect.objectContaining({ selected: 2, fetched: 1, invalid: 1, missing: 0, notRefreshed: 2 }),
    ]);
    const told = parseLines(ran.stderr).filter(({ event }) => event === "not-refreshed");
    expect(told.map(({ id, message }) => [id, message]).toSorted()).toEqual(
      [bad, plain].map((id) => [id, "The service no longer lists this call."]).toSorted(),
    );
    expect([await stateOf(place, bad), await stateOf(place, plain)]).toEqual(["invalid", "fetched"]);
    expect((await place.runHere(["show", bad, "--raw"])).stdout).toBe("<html>502</html>");
    const forgotten = await place.run(["forget", plain]);
    expect([forgotten.code, await stateOf(place, plain)]).toEqual([0, "pruned"]);
  });

  test("is found by its old id after its own became known; otherwise the message says that there is no such call", async () => {
    const { place, cloud, range, errors } = await prepared();
    const bad = errors.find(({ state }) => state === "invalid")?.id ?? "";
    cloud.add({ id: "bad", start: START, body: JSON.stringify({ ...JSON.parse(GOOD), instanceid: "bad" }) });
    const ran = await place.run(["export", bad, "--refresh"]);
    expect(parseLines(ran.stdout).map(({ id }) => id)).toEqual(["bad"]);
    expect((await place.run(["export", bad])).stdout).toBe(ran.stdout);
    expect((await place.runHere(["show", bad, "--raw"])).stdout).toBe(
      (await place.runHere(["show", "bad", "--raw"])).stdout,
    );

    const asked = cloud.stats.requests.DescribeAIAgentInstance;
    const elsewhere = ["--archive", "other.db"];
    const planned = await place.runHere(["pull", bad, ...elsewhere, "-n"]);
    expect([planned.code, planned.stderr]).toEqual([0, expect.stringContaining("1 to fetch")]);
    const unknown = await place.runHere(["pull", bad, ...elsewhere]);
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining("Select its agent and range again")]);
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(asked);
    // As it says; and the call is one call then.
    const ranged = await place.runHere(["pull", ...range, ...elsewhere, "--log-format", "json"]);
    expect([ranged.code, summaryOf(ranged)]).toEqual([0, expect.objectContaining({ missing: 0, fetched: 5 })]);
    expect((await place.runHere(["pull", bad, ...elsewhere])).code).toBe(0);
  });

  test("is also one whose document carries an unusable id: that stays in the transcript as it is", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1 });
    const carried = ["x".repeat(100_000), "a\u0000b"];
    for (const [at, instanceid] of carried.entries())
      cloud.add({ id: `hostile-${at}`, start: START, body: JSON.stringify({ instanceid, dialog: [] }) });
    const range = ["--agent", cloud.agents[0] ?? "", ...WEEK];
    expect((await place.run(["export", ...range, "-f", "ndjson,csv,raw", "-o", "out/"])).code).toBe(0);
    const transcripts = place.rows<{ id: string; extra?: { instanceid: string } }>("out", "transcripts.ndjson");
    const hostile = transcripts.filter(({ id }) => id.startsWith("link-"));
    expect(hostile.map(({ extra }) => extra?.instanceid).toSorted()).toEqual(carried.toSorted());
    expect(transcripts.every(({ id }) => id.length <= 37)).toBe(true);
    // A second run has nothing to fetch, and the archive is in order.
    const again = summaryOf(await place.runHere(["pull", ...range, "--log-format", "json"]));
    expect(again).toMatchObject({ known: 3 });
    expect((await place.runHere(["verify", "out"])).code).toBe(0);
  });
});
