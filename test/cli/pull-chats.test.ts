import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const JSON_LOG = ["--log-format", "json"];

const pull = (place: Workplace, ...args: string[]): Promise<Ran> => place.run(["pull", "chats", ...args]);

/** What the archive exports, byte for byte. */
const exported = async (place: Workplace, ...flags: string[]): Promise<string> => {
  const ran = await place.run(["export", "--offline", "-o", "-", ...flags]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return ran.stdout;
};

const transcripts = async (place: Workplace): Promise<Transcript[]> =>
  (await exported(place))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The events of a cloud as a sink writes them: one per line, not in their order. */
const dump = (cloud: Emulator): string =>
  [...cloud.chatEvents()]
    .map((event, at) => [(at * 7919) % 1009, JSON.stringify(event)] as const)
    .toSorted(([one], [other]) => one - other)
    .map(([, line]) => `${line}\n`)
    .join("");

describe("pull chats", () => {
  test("gives the same bytes as a dump of the same events; a second run requests nothing", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 60, calls: 0 });
    const events = [...cloud.chatEvents()];
    expect(events.length).toBeGreaterThan(120);
    const first = await pull(place, ...WEEK, ...JSON_LOG);
    expect([first.code, summaryOf(first)]).toEqual([
      0,
      expect.objectContaining({ added: events.length, known: 0, invalid: 0, missing: 0, failed: 0, conversations: 60 }),
    ]);
    expect(cloud.stats.requests.QueryEvent).toBe(events.length);
    const second = await pull(place, ...WEEK, ...JSON_LOG);
    expect(summaryOf(second)).toMatchObject({ added: 0, known: events.length, missing: 0 });
    expect(cloud.stats.requests.QueryEvent).toBe(events.length);

    const [chats] = JSON.parse((await place.run(["status", "--json"])).stdout).sources;
    expect(chats).toMatchObject({ source: "chats", cursor: "2025-07-21T00:00:00.000Z", account: expect.any(String) });

    const other = workplace();
    writeFileSync(other.path("dump.ndjson"), dump(cloud));
    expect((await other.run(["import", "dump.ndjson"])).code).toBe(0);
    for (const flags of [
      ["-f", "ndjson"],
      ["-f", "csv", "--rows", "turn"],
      ["-f", "messages"],
    ])
      expect(await exported(place, ...flags)).toBe(await exported(other, ...flags));
    for (const { id, provenance } of await transcripts(place))
      expect(provenance.records.map((record) => record.id)).toEqual(
        events.filter(({ data }) => data.sessionId === id).map((event) => event.id),
      );
  });

  test("by event id; an unknown one is missing, and in the error file, which is read again", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 3, calls: 0 });
    const [one, two] = [...cloud.chatEvents()].map(({ id }) => id);
    const ran = await pull(place, one ?? "", "nosuch", "--error-file", "errors.ndjson");
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("nosuch: missing.")]);
    expect(place.rows("errors.ndjson")).toEqual([
      expect.objectContaining({ id: "nosuch", state: "missing", code: "Event.NotFound" }),
    ]);
    writeFileSync(place.path("ids.txt"), `${one}\n${two}\n`);
    const again = await pull(place, "-i", "ids.txt", ...JSON_LOG);
    expect([again.code, summaryOf(again)]).toEqual([0, expect.objectContaining({ added: 1, known: 1 })]);
    expect((await pull(place, "-i", "errors.ndjson")).code).toBe(3);
  });

  test("--since last continues; a late event makes one revision in the next part and nothing else", async () => {
    const place = workplace();
    const now = Date.now();
    const cloud = await place.cloud({ chats: 0, calls: 0 });
    const ago = (minutes: number): Date => new Date(now - minutes * 60_000);
    cloud.addChatEvent({ sessionId: "s1", prompt: "first", received: ago(300) });
    cloud.addChatEvent({ sessionId: "s2", prompt: "other", received: ago(200) });
    const none = await pull(place, "--since", "last");
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("no last run of the bus default")]);
    expect((await pull(place, "--since", "2d")).code).toBe(0);
    const deliver = async (): Promise<Transcript[]> => {
      const ran = await place.run(["export", "--offline", "--new", "-o", "out/", ...JSON_LOG]);
      expect(ran.code).toBe(0);
      const { files } = summaryOf(ran) as { files: { name?: string; path?: string }[] };
      return files.flatMap((file) =>
        place.rows<never>(
          "out",
          String(file.name ?? file.path)
            .split("/")
            .at(-1) ?? "",
        ),
      );
    };
    expect((await deliver()).map(({ id }) => id).toSorted()).toEqual(["s1", "s2"]);
    cloud.addChatEvent({ sessionId: "s1", prompt: "late", received: ago(250) });
    const before = cloud.stats.requests.QueryEvent;
    const late = await pull(place, "--since", "last", ...JSON_LOG);
    expect([late.code, summaryOf(late)]).toEqual([0, expect.objectContaining({ added: 1, known: 2 })]);
    expect(cloud.stats.requests.QueryEvent).toBe((before ?? 0) + 1);
    const [revised, ...others] = await deliver();
    expect([revised?.id, revised?.revision, others]).toEqual(["s1", 2, []]);
    expect(revised?.turns.filter(({ role }) => role === "user").map(({ text }) => text)).toEqual(["first", "late"]);
    const nothing = await place.run(["export", "--offline", "--new", "-o", "out/"]);
    expect(nothing.code).toBe(0);
  });

  test("other sources, types and buses are not taken; --bus chooses", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 0, calls: 0 });
    const received = new Date("2025-07-15T00:00:00Z");
    cloud.addChatEvent({ sessionId: "wanted", received });
    cloud.addChatEvent({ sessionId: "type", received, type: "multimodal:Dialogue:Other" });
    cloud.addChatEvent({ sessionId: "source", received, source: "acs.oss" });
    cloud.addChatEvent({ sessionId: "bus", received, bus: "mine" });
    cloud.addChatEvent({ sessionId: "edge", received: new Date("2025-07-21T00:00:00Z") });
    expect((await pull(place, ...WEEK)).code).toBe(0);
    expect((await transcripts(place)).map(({ id }) => id)).toEqual(["wanted"]);
    expect((await pull(place, ...WEEK, "--bus", "mine")).code).toBe(0);
    expect((await transcripts(place)).map(({ id }) => id).toSorted()).toEqual(["bus", "wanted"]);
  });

  test("an event that cannot be read is kept aside, reported once, and does not hold back the others", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 2, calls: 0 });
    const at = new Date("2025-07-20T12:00:00Z");
    cloud.addChatEvent({ sessionId: "s", id: "bad", received: at, fields: { data: "not a chat log" } });
    cloud.addChatEvent({ sessionId: "s", id: "swapped", received: at, fields: { id: "another" } });
    const ran = await pull(place, ...WEEK, "--error-file", "errors.ndjson", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([3, expect.objectContaining({ invalid: 2, conversations: 2 })]);
    const errors = place.rows("errors.ndjson").map(({ id, state, code }) => [id, state, code].join(" "));
    expect(errors.toSorted()).toEqual(["bad invalid NotAChatLog", "swapped invalid OtherEvent"]);
    const next = await pull(place, "--since", "last", "--lookback", "30d", "--until", "2025-07-21", ...JSON_LOG);
    expect([next.code, summaryOf(next)]).toEqual([0, expect.objectContaining({ invalid: 0, missing: 0 })]);
  });

  test("an unreadable event that is listed late is reported, once; --strict reports it again", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
    cloud.addChatEvent({ sessionId: "s", received: ago(60) });
    expect((await pull(place, "--since", "2d")).code).toBe(0);
    cloud.addChatEvent({ sessionId: "s", id: "late", received: ago(300), fields: { data: "nothing" } });
    const last = (...flags: string[]) => pull(place, "--since", "last", "--error-file", "errors.ndjson", ...flags);
    const first = await last();
    expect([first.code, first.stderr]).toEqual([3, expect.stringContaining("late: invalid: ")]);
    expect(first.stderr).toContain("2 events = 0 added + 1 already in the archive + 1 invalid");
    expect(place.rows("errors.ndjson")).toMatchObject([{ id: "late", state: "invalid", code: "NotAChatLog" }]);
    const second = await last();
    expect([second.code, second.stderr.includes("late: ")]).toEqual([0, false]);
    expect(place.rows("errors.ndjson")).toEqual([]);
    expect((await last("--strict")).code).toBe(3);
    expect((await pull(place, "--since", "2d")).code).toBe(3);
  });

  test("a bus that has never listed an event is exit 3 and says what to check, unless --allow-empty", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    const silent = await pull(place, ...WEEK, "--bus", "mistyped");
    expect([silent.code, silent.stderr]).toEqual([3, expect.stringContaining("check --bus (mistyped)")]);
    expect((await pull(place, ...WEEK, "--allow-empty")).code).toBe(0);
    cloud.addChatEvent({ sessionId: "s", received: new Date("2025-07-15T00:00:00Z") });
    expect((await pull(place, ...WEEK)).code).toBe(0);
    expect((await pull(place, "--since", "last")).code).toBe(0);
  });

  test("tokens of the integrator's tools are not stored, wherever they stand", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, chats: 30 });
    const secret = "USERTOKEN-of-a-tool";
    const hidden = { user_defined_tokens: { tool: { user_token: secret } } };
    const input = JSON.stringify({
      prompt: "hi",
      list: [hidden, [hidden]],
      text: JSON.stringify({ inner: JSON.stringify(hidden), kept: 1 }),
    });
    const received = new Date("2025-07-15T00:00:00Z");
    const data = { requestId: "e", sessionId: "s", input, output: JSON.stringify([hidden]), code: "", message: "" };
    cloud.addChatEvent({ sessionId: "s", id: "e", received, fields: { data } });
    expect([...cloud.chatEvents()].some((event) => JSON.stringify(event).includes("USERTOKEN"))).toBe(true);
    cloud.addChatEvent({
      sessionId: "s",
      id: "bad",
      received,
      fields: { data: { requestId: "bad", input, ...hidden } },
    });
    const ran = await pull(place, ...WEEK, "--error-file", "errors.ndjson");
    expect([ran.code, ran.stderr.includes("USERTOKEN")]).toEqual([3, false]);
    const aside = place.read("errors.ndjson");
    expect([aside.includes("USERTOKEN"), aside.includes("kept")]).toEqual([false, true]);
    const all = await exported(place);
    expect([all.includes("USERTOKEN"), all.includes("kept")]).toEqual([false, true]);
  });

  test("what fails temporarily holds back the cursor; pages that do not advance are an error, not a loop", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 150, calls: 0, from: new Date("2025-07-14"), to: new Date("2025-07-15") });
    cloud.faults.repeat = 1;
    const repeated = await pull(place, ...WEEK);
    expect([repeated.code, repeated.stderr]).toEqual([1, expect.stringContaining("do not advance")]);
    cloud.faults.repeat = 0;
    cloud.faults.error = 0.4;
    const shaky = await pull(place, ...WEEK, "--retries", "1", ...JSON_LOG);
    expect([1, 3, 5]).toContain(shaky.code);
    cloud.faults.error = 0;
    // A failed listing or event leaves the cursor where it was, or leaves none.
    const rest = await pull(place, "--since", "last", "--lookback", "0", "--until", "2025-07-21");
    if (rest.code === 2) expect((await pull(place, ...WEEK)).code).toBe(0);
    else expect(rest.code).toBe(0);
    const ids = (await transcripts(place)).flatMap(({ provenance }) => provenance.records.map(({ id }) => id));
    expect(ids.toSorted()).toEqual([...cloud.chatEvents()].map(({ id }) => id).toSorted());
  });

  test("expired events, missing permission, another account and another region are told", async () => {
    const place = workplace();
    const cloud = await place.cloud({ chats: 1, calls: 0, traceDays: 4 });
    const expired = await pull(place, [...cloud.chatEvents()][0]?.id ?? "");
    expect([expired.code, expired.stderr]).toEqual([3, expect.stringContaining("has no such event")]);
    const denied = workplace();
    await denied.cloud({ chats: 1, calls: 0, deny: ["QueryTracedEvents"] });
    const refused = await pull(denied, ...WEEK);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("eventbridge:QueryTracedEvents")]);
    const elsewhere = workplace();
    await elsewhere.cloud({ chats: 1, calls: 0, account: "1000000000000001" });
    expect((await pull(elsewhere, ...WEEK)).code).toBe(0);
    await elsewhere.cloud({ chats: 1, calls: 0, account: "2000000000000002" });
    const other = await pull(elsewhere, ...WEEK);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("chats of account 1000000000000001")]);
  });

  test("-n counts and changes nothing; --limit stops and leaves the cursor", async () => {
    const place = workplace();
    await place.cloud({ chats: 10, calls: 0 });
    const plan = await pull(place, ...WEEK, "-n");
    expect([plan.code, plan.stderr]).toEqual([0, expect.stringMatching(/events listed: 0 known, \d+ to fetch/)]);
    expect((await place.run(["status"])).code).toBe(2);
    const limited = await pull(place, ...WEEK, "--limit", "3", ...JSON_LOG);
    expect([limited.code, summaryOf(limited)]).toEqual([0, expect.objectContaining({ added: 3, limited: true })]);
    const rest = await pull(place, ...WEEK, ...JSON_LOG);
    expect(summaryOf(rest)).toMatchObject({ known: 3, limited: false });
    expect(await transcripts(place)).toHaveLength(10);
  });
});

describe("of each target only its own flags are taken", () => {
  test.each([
    [["chats", "--describe", "always", "--since", "7d"], '--describe is not a flag of "pull chats"'],
    [["queries", "--bus", "b"], '--bus is not a flag of "pull queries", but of "pull chats"'],
    [["queries", "some-id"], '"pull queries" takes no ids'],
    [["calls", "--chats-region", "cn-beijing", "id"], '--chats-region is not a flag of "pull calls"'],
    [["chats"], "Nothing is selected"],
    [["query"], 'Did you mean "callarchive pull queries"?'],
    [["events", "--since", "7d"], 'Did you mean "callarchive pull chats"?'],
    [["chats", "--region", "cn-beijing", "--since", "7d"], "Write --chats-region."],
    [["chats", "an-id", "--since", "7d"], "by id, or by --since and --until, not both"],
  ])("%j", async (args, message) => {
    const ran = await workplace().run(["pull", ...args]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

test("killed at any request, of both sources, the same commands give what uninterrupted ones give", async () => {
  const place = workplace();
  let seen = 0;
  let kill = (): unknown => undefined;
  let wanted = Number.POSITIVE_INFINITY;
  const cloud = await place.cloud({
    chats: SOAK ? 25 : 8,
    queries: SOAK ? 260 : 120,
    calls: 0,
    faults: SOAK ? { error: 0.03, throttle: 0.02, reset: 0.02 } : {},
    log: () => {
      seen += 1;
      if (seen === wanted) kill();
    },
  });
  const commands = [
    ["pull", "chats", ...WEEK, "--concurrency", "2", "-q"],
    ["pull", "queries", "-q"],
  ];
  const runAll = async (archive: string): Promise<void> => {
    for (const command of commands) expect((await place.run([...command, "--archive", archive])).code).toBe(0);
  };
  await runAll("whole.db");
  const total = seen;
  const whole = await exported(place, "--archive", "whole.db");
  expect(whole.trim().split("\n").length).toBeGreaterThan(20);
  const rounds = SOAK ? 60 : 3;
  let killed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const archive = `killed-${round}.db`;
    seen = 0;
    wanted = Math.ceil((total * (round + 0.5)) / rounds);
    for (const command of commands) {
      const ran = await place.run([...command, "--archive", archive], {
        started: (child) => {
          kill = () => child.kill("SIGKILL");
        },
      });
      if (ran.code === null) killed += 1;
      else expect(ran.code).toBe(0);
    }
    wanted = Number.POSITIVE_INFINITY;
    await runAll(archive);
    expect(await exported(place, "--archive", archive), `killed at request ${round} of ${rounds}`).toBe(whole);
    expect((await place.run(["verify", "--archive", archive])).code).toBe(0);
  }
  // Else this test would try nothing.
  expect(killed).toBeGreaterThanOrEqual(rounds * 0.6);
  expect(cloud.stats.requests.QueryEvent).toBeGreaterThan(0);
}, 600_000);
