import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import type { Emulator } from "../../src/emulator/index.ts";
import { exported, transcripts } from "../helpers/exported.ts";
import { SOAK } from "../helpers/soak.ts";
import { type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const WEEK = ["--since", "2025-07-14", "--until", "2025-07-21"];
const JSON_LOG = ["--log-format", "json"];
const DAY = 86_400_000;

const pull = (place: Workplace, ...args: string[]): Promise<Ran> => place.runHere(["pull", "dialogues", ...args]);

const pullCalls = async (place: Workplace, cloud: Emulator, ...args: string[]): Promise<void> => {
  const ran = await place.runHere(["pull", "--agent", cloud.agents[0] ?? "", ...WEEK, ...args]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
};

/** The ids of all dialogues that transcripts name. */
const dialogueIds = (all: readonly Transcript[]): string[] =>
  all
    .flatMap(({ provenance }) => provenance.records)
    .filter(({ source }) => source === "dialogues")
    .map(({ id = "" }) => id)
    .toSorted();

const listedIds = (cloud: Emulator, sessions: Iterable<string> = cloud.sessionIds()): string[] =>
  [...sessions].flatMap((id) => cloud.dialogues(id).map((each) => `${id}/${each.DialogueId}`)).toSorted();

/** A call of two minutes at a time, in a session, as describe gives it. */
const callOf = (start: Date, session: string, instance: Record<string, unknown> = {}) => ({
  start,
  instance: { SessionId: session, ...instance },
});

describe("pull dialogues", () => {
  test("of named sessions: typed messages are a conversation of their own, with reasoning and attachments", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, typedChats: 6 });
    const sessions = [...cloud.sessionIds()];
    const ran = await pull(place, ...sessions.flatMap((id) => ["--session", id]), ...JSON_LOG);
    const all = listedIds(cloud);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ added: all.length, known: 0, invalid: 0, missing: 0, conversations: 6 }),
    ]);
    const told = await transcripts(place);
    expect(told.map(({ source, id }) => `${source}:${id}`).toSorted()).toEqual(
      sessions.map((id) => `dialogues:${id}`).toSorted(),
    );
    expect(dialogueIds(told)).toEqual(all);
    const texts = sessions.flatMap((id) => cloud.dialogues(id).map(({ Text }) => Text)).toSorted();
    expect(told.flatMap(({ turns }) => turns.map(({ text }) => text)).toSorted()).toEqual(texts);
    expect(told.some(({ turns }) => turns.some(({ reasoning }) => reasoning !== undefined))).toBe(true);
    const written = await exported(place);
    expect([written.includes('.png"'), /Signature|Expires=/.test(written)]).toEqual([true, false]);
    // A second run adds nothing, and counts dialogues, not sessions.
    const again = await pull(place, ...sessions.flatMap((id) => ["--session", id]));
    expect(again.stderr).toContain(`${all.length} dialogues = 0 added + ${all.length} already in the archive`);
    expect(again.stderr).toContain("6 sessions listed");
  });

  test("--from-archive describes what was only listed, joins each call once, and asks for nothing the second time", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 24, agents: 1, typedChats: 6 });
    await pullCalls(place, cloud);
    const before = await transcripts(place);
    const ran = await pull(place, "--from-archive", ...JSON_LOG);
    const all = listedIds(
      cloud,
      [...cloud.sessionIds()].filter((id) => cloud.dialogues(id).some(({ Source }) => Source === "call")),
    );
    const told = await transcripts(place);
    expect([ran.code, summaryOf(ran)]).toEqual([
      0,
      expect.objectContaining({ added: all.length, known: 0, conversations: told.length }),
    ]);
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(24);
    expect(dialogueIds(told)).toEqual(all);
    // The call logs' turns stand, and nothing is told twice.
    for (const { id, turns } of before) {
      const joined = told.find((each) => each.id === id);
      expect(joined?.turns.filter(({ recordSource }) => recordSource === undefined).map(({ text }) => text)).toEqual(
        turns.map(({ text }) => text),
      );
      expect(joined?.turns.length).toBe(turns.length);
    }
    const { DescribeAIAgentInstance: described, ListAIAgentDialogues: listed } = cloud.stats.requests;
    const second = await pull(place, "--from-archive");
    expect([second.code, second.stderr]).toEqual([0, expect.stringContaining("0 dialogues = 0 added\n")]);
    expect(second.stderr).toContain("0 sessions listed; 24 calls of sessions that were listed before");
    expect(cloud.stats.requests).toMatchObject({ DescribeAIAgentInstance: described, ListAIAgentDialogues: listed });
    expect((await place.runHere(["verify"])).code).toBe(0);
    // Lists of calls know less than describe: listing them again changes nothing.
    const bytes = await exported(place);
    await pullCalls(place, cloud);
    expect(await exported(place)).toBe(bytes);
  });

  test("of a named session describe the calls of its time that were only listed, so that no turn is there twice", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12, agents: 1 });
    await pullCalls(place, cloud);
    const sessions = [...cloud.sessionIds()].slice(0, 4);
    const named = sessions.flatMap((session) => ["--session", session]);
    expect((await place.runHere(["pull", "dialogues", ...named])).code).toBe(0);
    const all = await transcripts(place);
    expect(all.filter(({ source }) => source === "dialogues")).toEqual([]);
    expect(dialogueIds(all)).toEqual(listedIds(cloud, sessions));
    const described = cloud.stats.requests.DescribeAIAgentInstance ?? 0;
    expect((await place.runHere(["pull", "dialogues", ...named, "--refresh"])).code).toBe(0);
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(described);
  });

  test("the same bytes whichever came first: calls, calls listed and described later, or dialogues", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 20, agents: 1, typedChats: 8 });
    const named = [...cloud.sessionIds()].flatMap((id) => ["--session", id]);
    const at = (archive: string) => ["--archive", archive];
    await pullCalls(place, cloud, "--describe", "always", ...at("calls.db"));
    expect((await pull(place, ...named, ...at("calls.db"))).code).toBe(0);
    expect((await pull(place, ...named, ...at("dialogues.db"))).code).toBe(0);
    await pullCalls(place, cloud, "--describe", "always", ...at("dialogues.db"));
    expect((await pull(place, ...named, ...at("listed.db"))).code).toBe(0);
    await pullCalls(place, cloud, ...at("listed.db"));
    expect((await pull(place, "--from-archive", "--refresh", ...at("listed.db"))).code).toBe(0);
    await pullCalls(place, cloud, ...at("between.db"));
    expect((await pull(place, ...named, "--concurrency", "1", ...at("between.db"))).code).toBe(0);
    await pullCalls(place, cloud, "--describe", "always", "--refresh", ...at("between.db"));
    const first = await exported(place, ...at("calls.db"));
    expect(first).toContain('"source":"dialogues"');
    for (const archive of ["dialogues.db", "listed.db", "between.db"])
      expect((await exported(place, ...at(archive))) === first, archive).toBe(true);
  });

  test("a call without call times, which the service gives for phone calls only, gets its dialogues all the same", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const start = new Date("2025-07-15T08:00:00.250Z");
    const id = cloud.add(callOf(start, "s1", { CallInfo: undefined }));
    const dialogues = cloud.dialogues("s1");
    expect(dialogues.length).toBeGreaterThan(1);
    // The last words are written down after the end.
    const late = new Date((dialogues.at(-1)?.Time ?? 0) + 20_000);
    cloud.addDialogue({ sessionId: "s1", source: "call", text: "and bye", time: late });
    cloud.addDialogue({ sessionId: "s1", source: "call", text: "lost", time: new Date(late.getTime() + DAY) });
    expect((await place.runHere(["pull", id])).code).toBe(0);
    expect((await pull(place, "--from-archive")).code).toBe(0);
    const told = await transcripts(place);
    expect(told.map(({ source, turns }) => [source, turns.at(-1)?.text])).toEqual([
      ["calls", "and bye"],
      ["dialogues", "lost"],
    ]);
    const asked = cloud.stats.requests.DescribeAIAgentInstance;
    expect((await pull(place, "--from-archive")).code).toBe(0);
    expect(cloud.stats.requests.DescribeAIAgentInstance).toBe(asked);
  });

  test("a session counts as listed only if it was listed as a whole, whatever selected it", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const ids = [
      cloud.add(callOf(new Date("2025-07-15T08:00:00Z"), "s1")),
      cloud.add(callOf(new Date("2025-07-19T08:00:00Z"), "s1")),
    ];
    cloud.addDialogue({ sessionId: "s1", text: "days before", time: new Date("2025-07-12T08:00:00Z") });
    expect((await place.runHere(["pull", ...ids])).code).toBe(0);
    // A part by time, then the later call alone: both leave the rest to be found.
    expect((await pull(place, "--session", "s1", "--since", "2025-07-19")).code).toBe(0);
    expect(dialogueIds(await transcripts(place)).length).toBeLessThan(listedIds(cloud).length);
    expect((await pull(place, "--from-archive", "--since", "2025-07-18")).code).toBe(0);
    expect(dialogueIds(await transcripts(place))).toEqual(listedIds(cloud));
  });

  test("late messages: a session is listed again for an hour after its last call", async () => {
    const place = workplace();
    const start = new Date("2025-07-15T08:00:00Z");
    const cloud = await place.cloud({ calls: 0, agents: 1 });
    const id = cloud.add(callOf(start, "s1"));
    const at = (minutes: number): number => start.getTime() + minutes * 60_000;
    expect((await place.runHere(["pull", id], { at: at(20) })).code).toBe(0);
    const run = (minutes: number) => place.runHere(["pull", "dialogues", "--from-archive"], { at: at(minutes) });
    expect((await run(21)).code).toBe(0);
    cloud.addDialogue({ sessionId: "s1", text: "one more thing", time: new Date(at(30)) });
    expect((await run(40)).stderr).toContain("1 added");
    expect((await run(200)).stderr).toContain("1 session listed");
    expect((await run(201)).stderr).toContain("0 sessions listed");
    cloud.addDialogue({ sessionId: "s1", text: "much later", time: new Date(at(600)) });
    const refreshed = await place.runHere(["pull", "dialogues", "--from-archive", "--refresh"], { at: at(700) });
    expect(refreshed.stderr).toContain("1 added");
  });
});

describe("what is told", () => {
  test("an unknown session is missing; no session at all is exit 3, unless --allow-empty", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 2, agents: 1 });
    const [session = ""] = cloud.sessionIds();
    const ran = await pull(place, "--session", "nosuch", "--session", session, "--error-file", "errors.ndjson");
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining("nosuch: missing.")]);
    expect(place.rows("errors.ndjson")).toMatchObject([{ id: "nosuch", state: "missing", code: "NoDialogues" }]);
    expect((await pull(place, "--session", "nosuch", "--allow-empty")).code).toBe(0);
    const none = await pull(place, "--from-archive", "--since", "2030-01-01");
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining("No call of the selection names a session.")]);
    expect((await pull(place, "--from-archive", "--since", "2030-01-01", "--allow-empty")).code).toBe(0);
  });

  test.each([
    [["some-id"], '"pull dialogues" takes no ids of calls. Name sessions: --session ID.'],
    [[], "Nothing is selected."],
    [["--agent", "a"], "Nothing is selected."],
    [["--session", "s", "--agent", "a"], "--agent goes with --from-archive"],
    [["--session", "s", "--from-archive"], "not both"],
    [["-i", "ids.txt"], "Name sessions: --session ID."],
    [["--session", "s", "--bucket", "b"], '--bucket is not a flag of "pull dialogues"'],
    [["--session", "s", "--since", "last"], "last"],
    [["--session", ""], "session"],
  ])("%j is a usage error", async (args, message) => {
    const place = workplace();
    await place.cloud({ calls: 0 });
    const ran = await pull(place, ...args);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(place.path("callarchive.db"))).toBe(false);
  });

  test("what the environment and the config file select does not hinder what the command line selects", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, agents: 1 });
    await pullCalls(place, cloud);
    const env = { CALLARCHIVE_AGENT: cloud.agents[0] ?? "", CALLARCHIVE_SINCE: "last" };
    const [session = ""] = cloud.sessionIds();
    writeFileSync(place.path("c.yaml"), "pull:\n  from-archive: true\n");
    const config = ["--config", "c.yaml"];
    for (const flags of [["--session", session], ["--session", session, ...config], ["--from-archive"], config]) {
      const ran = await place.runHere(["pull", "dialogues", ...flags], { env });
      expect([flags, ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([flags, 0, ""]);
    }
    expect(dialogueIds(await transcripts(place))).toEqual(listedIds(cloud));
  });

  test("--from-archive without an archive says so, and makes none", async () => {
    const place = workplace();
    await place.cloud({ calls: 0 });
    expect((await pull(place, "--from-archive")).code).toBe(2);
    expect((await place.runHere(["status"])).code).toBe(2);
  });

  test("--limit ends after so many sessions, and the next run goes on", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 6, agents: 1 });
    await pullCalls(place, cloud);
    const first = await pull(place, "--from-archive", "--limit", "2", ...JSON_LOG);
    expect([first.code, summaryOf(first)]).toEqual([0, expect.objectContaining({ limited: true })]);
    expect(cloud.stats.requests.ListAIAgentDialogues).toBe(2);
    const rest = await pull(place, "--from-archive", ...JSON_LOG);
    expect([rest.code, summaryOf(rest)]).toEqual([0, expect.objectContaining({ limited: false })]);
    expect(cloud.stats.requests.ListAIAgentDialogues).toBe(6);
    expect(dialogueIds(await transcripts(place))).toEqual(listedIds(cloud));
  });

  test("wrong keys, a missing permission, another account and another region end the run with what to do", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1, deny: ["ListAIAgentDialogues"] });
    const [session = ""] = cloud.sessionIds();
    const wrong = { ALIBABA_CLOUD_ACCESS_KEY_SECRET: "wrong" };
    const keys = await place.runHere(["pull", "dialogues", "--session", session], { env: wrong });
    expect([keys.code, keys.stderr.includes("wrong")]).toEqual([4, false]);
    const denied = await pull(place, "--session", session);
    expect([denied.code, denied.stderr]).toEqual([4, expect.stringMatching(/"ice:ListAIAgentDialogues"/)]);
    const elsewhere = workplace();
    const one = await elsewhere.cloud({ calls: 1, agents: 1 });
    await pullCalls(elsewhere, one);
    await elsewhere.cloud({ calls: 1, agents: 1, account: "2000000000000002" });
    const other = await pull(elsewhere, "--from-archive");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("account 1000000000000001")]);
  });
});

describe("what a service may do", () => {
  test("more than a hundred pages, a lower limit of pages, many dialogues of one millisecond", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 0 });
    const start = Date.parse("2025-07-15T00:00:00Z");
    for (let at = 0; at < 1_230; at += 1)
      cloud.addDialogue({ sessionId: "s", text: `${at}`, time: new Date(start + Math.floor(at / 50)) });
    cloud.faults.cap = 10;
    const ran = await pull(place, "--session", "s", ...JSON_LOG);
    expect([ran.code, summaryOf(ran)]).toEqual([0, expect.objectContaining({ added: 1_230 })]);
    cloud.faults = {};
    const plain = await pull(place, "--session", "s", "--archive", "plain.db", ...JSON_LOG);
    expect(summaryOf(plain)).toMatchObject({ added: 1_230, repeated: 0 });
    expect(await exported(place)).toBe(await exported(place, "--archive", "plain.db"));
  });

  test("pages that repeat are trouble of that session, not a loop; the others are read", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, agents: 1 });
    const short = [...cloud.sessionIds()].find((id) => cloud.dialogues(id).length % 10 > 0) ?? "";
    for (let at = 0; at < 250; at += 1) cloud.addDialogue({ sessionId: "long", text: `${at}`, time: new Date(1e12) });
    cloud.faults.repeat = 1;
    const ran = await pull(
      place,
      "--session",
      "long",
      "--session",
      short,
      "--error-file",
      "errors.ndjson",
      ...JSON_LOG,
    );
    expect([ran.code, summaryOf(ran)]).toEqual([
      3,
      expect.objectContaining({ failed: 1, added: 100 + cloud.dialogues(short).length }),
    ]);
    expect(place.rows("errors.ndjson")).toMatchObject([{ id: "long", code: "PageRepeats" }]);
    cloud.faults.repeat = 0;
    expect((await pull(place, "--session", "long")).code).toBe(0);
  });

  test("throttling, errors, resets and shifting pages give the same bytes", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 30, agents: 1, typedChats: 5 });
    await pullCalls(place, cloud, "--describe", "always");
    await pullCalls(place, cloud, "--describe", "always", "--archive", "shaky.db");
    expect((await pull(place, "--from-archive")).code).toBe(0);
    cloud.faults = { throttle: 0.1, error: 0.1, reset: 0.1 };
    const shaky = await pull(place, "--from-archive", "--archive", "shaky.db");
    expect([0, 3]).toContain(shaky.code);
    cloud.faults = {};
    expect((await pull(place, "--from-archive", "--archive", "shaky.db")).code).toBe(0);
    expect(await exported(place, "--archive", "shaky.db")).toBe(await exported(place));
  }, 60_000);

  test("a service that is down is exit 5, soon", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 40, agents: 1 });
    await pullCalls(place, cloud);
    cloud.faults = { down: 1 };
    const ran = await pull(place, "--from-archive", "--retries", "0");
    expect(ran.code).toBe(5);
  });

  test("hostile dialogues: nothing is lost but what has no form, nothing leaves the archive's folder, no key is a prototype", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 1, agents: 1 });
    await pullCalls(place, cloud);
    const [call] = [...cloud.sessionIds()];
    const time = new Date("2025-07-15T00:00:00Z");
    const session = "../../../etc/passwd";
    const add = (fields: Record<string, unknown>, dialogueId?: string, text = "hello") =>
      cloud.addDialogue({ sessionId: session, text, time, fields, ...(dialogueId !== undefined && { dialogueId }) });
    add({ Text: 42, Producer: ["user"], RoundId: {}, ReasoningText: null, Source: 7, Type: false });
    add({ Text: { __proto__: null, constructor: { prototype: 1 } } });
    add(JSON.parse('{"__proto__": {"polluted": true}, "Extend": "{\\"__proto__\\":{\\"polluted\\":true}}"}'));
    add({ AttachedFileList: [null, 5, { Url: 9 }, { Url: "https://h/x?Signature=SECRET#SECRET" }, [["x"]]] });
    add({ AttachedFileList: { Url: "https://h/x?Signature=SECRET" } });
    add({ Text: "\ud83d half \u0000 \u001b[31mred" }, "a/../../b\u0000\ud800");
    add({ Text: "x".repeat(1_000_000) });
    add({ Extend: `${"[".repeat(5_000)}${"]".repeat(5_000)}` });
    add({}, "");
    add({}, "y".repeat(5_000));
    const ran = await pull(place, "--session", session, "--session", call ?? "", "--error-file", "errors.ndjson");
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("2 sessions listed")]);
    const told = (await transcripts(place, "--source", "dialogues")).find(({ id }) => id === session);
    expect(told?.turns.length).toBeGreaterThanOrEqual(8);
    const bytes = await exported(place, "--source", "dialogues");
    expect([bytes.includes("SECRET"), bytes.isWellFormed(), "polluted" in {}]).toEqual([false, true, false]);
    expect((await place.runHere(["verify"])).code).toBe(0);
    expect((await place.runHere(["forget", `dialogues:${session}`])).code).toBe(0);
    const again = await pull(place, "--session", session);
    expect(again.stderr).toContain("of forgotten conversations");
    expect((await exported(place, "--source", "dialogues")).includes("passwd")).toBe(false);
  });
});

describe("erasure and delivery", () => {
  test("the dialogues of a forgotten call do not come back, by any way", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 8, agents: 1, typedChats: 2 });
    await pullCalls(place, cloud);
    expect((await pull(place, "--from-archive")).code).toBe(0);
    const [first, second] = (await transcripts(place)).filter(({ source }) => source === "calls");
    expect((await place.runHere(["forget", first?.id ?? ""])).code).toBe(0);
    // The second is forgotten where no dialogue has ever been.
    await pullCalls(place, cloud, "--describe", "always", "--archive", "other.db");
    expect((await place.runHere(["forget", second?.id ?? "", "--archive", "other.db"])).code).toBe(0);
    const named = [...cloud.sessionIds()].flatMap((id) => ["--session", id]);
    for (const [archive, gone] of [
      ["callarchive.db", first],
      ["other.db", second],
    ] as const) {
      const ran = await pull(place, ...named, "--archive", archive);
      expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("of forgotten conversations")]);
      expect((await pull(place, "--from-archive", "--refresh", "--archive", archive, "--allow-empty")).code).toBe(0);
      const left = await transcripts(place, "--archive", archive);
      const texts = gone?.turns.map(({ text }) => text).filter((text) => text.length > 20) ?? [];
      expect(left.some(({ id }) => id === gone?.id)).toBe(false);
      const ofCall = cloud
        .dialogues(gone?.sessionId ?? "")
        .filter(({ Source, Time }) => Source === "call" && Time >= Date.parse(gone?.startedAt ?? ""));
      expect(ofCall.length).toBeGreaterThan(0);
      const own = dialogueIds(left);
      expect(ofCall.filter(({ DialogueId }) => own.includes(`${gone?.sessionId}/${DialogueId}`))).toEqual([]);
      expect(texts.length).toBeGreaterThanOrEqual(0);
    }
  });

  test("a call that was delivered before its dialogues came is delivered again once, as a revision", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 5, agents: 1 });
    await pullCalls(place, cloud, "--describe", "always");
    const deliver = async (): Promise<Transcript[]> => {
      const ran = await place.runHere(["export", "--offline", "--new", "-o", "out/", ...JSON_LOG]);
      expect(ran.code).toBe(0);
      const { files } = summaryOf(ran) as { files: { name?: string; path?: string }[] };
      return files.flatMap(({ name, path }) =>
        place.rows<never>(
          "out",
          String(name ?? path)
            .split("/")
            .at(-1) ?? "",
        ),
      );
    };
    expect(await deliver()).toHaveLength(5);
    const [session = ""] = cloud.sessionIds();
    const known = cloud.dialogues(session)[0];
    cloud.addDialogue({
      sessionId: session,
      source: "call",
      text: "只有对话记录知道的话",
      time: new Date((known?.Time ?? 0) + 500),
    });
    expect((await pull(place, "--session", session)).code).toBe(0);
    const [revised, ...others] = await deliver();
    expect([revised?.sessionId, revised?.revision, others]).toEqual([session, 2, []]);
    expect(revised?.turns.map(({ text }) => text)).toContain("只有对话记录知道的话");
    expect((await pull(place, "--from-archive")).code).toBe(0);
    for (const { revision } of await deliver()) expect(revision).toBe(2);
    expect(await deliver()).toEqual([]);
  });
});

test("killed at any request, or stopped, the same command gives what an uninterrupted one gives", async () => {
  const place = workplace();
  let seen = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let kill = (): unknown => undefined;
  const cloud = await place.cloud({
    calls: SOAK ? 40 : 12,
    agents: 1,
    typedChats: SOAK ? 12 : 4,
    faults: SOAK ? { error: 0.03, throttle: 0.02, reset: 0.02 } : {},
    log: () => {
      seen += 1;
      if (seen === wanted) kill();
    },
  });
  const run = ["pull", "dialogues", "--from-archive", "--concurrency", "2", "-q"];
  const prepare = (archive: string) => pullCalls(place, cloud, "--archive", archive);
  await prepare("whole.db");
  seen = 0;
  expect((await place.run([...run, "--archive", "whole.db"])).code).toBe(0);
  const total = seen;
  const whole = await exported(place, "--archive", "whole.db");
  const rounds = SOAK ? 60 : 3;
  let killed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const archive = `killed-${round}.db`;
    await prepare(archive);
    seen = 0;
    wanted = Math.ceil((total * (round + 0.5)) / rounds);
    const signal = round % 3 === 2 ? "SIGTERM" : "SIGKILL";
    const ran = await place.run([...run, "--archive", archive], {
      started: (child) => {
        kill = () => child.kill(signal);
      },
    });
    if (ran.code !== 0) killed += 1;
    wanted = Number.POSITIVE_INFINITY;
    expect((await place.run([...run, "--archive", archive])).code).toBe(0);
    expect((await exported(place, "--archive", archive)) === whole, `${signal} at ${round} of ${rounds}`).toBe(true);
    expect((await place.runHere(["verify", "--archive", archive])).code).toBe(0);
  }
  expect(killed).toBeGreaterThanOrEqual(rounds * 0.6);
}, 600_000);
