import { expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

/** The checks of a doctor, by name: ok or not, and what was found. */
const checks = async (place: Workplace, ...flags: string[]) => {
  const ran = await place.run(["doctor", "--json", ...flags]);
  const rows = ran.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { check: string; ok: boolean; found: string });
  return { code: ran.code, found: new Map(rows.map(({ check, ok, found }) => [check, { ok, found }])) };
};

test("doctor checks calls, and the sources that the archive has or --source names", async () => {
  const place = workplace();
  await place.cloud({ calls: 1, chats: 1, queries: 2 });
  const sourceChecks = (names: Iterable<string>): string[] => [...names].filter((name) => name.includes(" "));
  expect(sourceChecks((await checks(place)).found.keys())).toEqual([]);
  const both = await checks(place, "--source", "chats", "--source", "queries");
  expect(both.code).toBe(0);
  expect(both.found.has("describe")).toBe(false);
  expect(both.found.get("chats trace")?.found).toContain("eventbridge:QueryTracedEvents is permitted");
  expect(both.found.get("chats event")?.found).toContain("eventbridge:QueryEvent is permitted");
  expect(both.found.get("queries log")?.found).toContain("eventbridge:QueryAskLumaLog is permitted");
  expect((await place.run(["pull", "queries"])).code).toBe(0);
  const later = await checks(place);
  expect([later.code, sourceChecks(later.found.keys())]).toEqual([
    0,
    ["queries key", "queries host", "queries log", "queries account"],
  ]);
  await place.cloud({ calls: 1, account: "2000000000000002" });
  const elsewhere = await checks(place, "--source", "queries");
  expect([elsewhere.code, elsewhere.found.get("queries account")]).toEqual([
    1,
    { ok: false, found: expect.stringContaining("holds queries of account") },
  ]);
});

test("each missing permission and a log that is not activated are told with the way out", async () => {
  const place = workplace();
  await place.cloud({ calls: 1, deny: ["QueryEvent"], lumaEnabled: false });
  const { code, found } = await checks(place, "--source", "chats", "--source", "queries");
  expect(code).toBe(4);
  expect(found.get("chats trace")?.ok).toBe(true);
  expect(found.get("chats event")).toEqual({ ok: false, found: expect.stringContaining("eventbridge:QueryEvent") });
  expect(found.get("queries log")).toEqual({
    ok: false,
    found: expect.stringContaining("https://eventbridge.console.aliyun.com"),
  });
});
