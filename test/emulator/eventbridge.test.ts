import { afterEach, describe, expect, test } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../src/emulator/index.ts";
import { type Reply, type Request, send } from "./signer.ts";

interface Listed {
  EventId: string;
  EventSource: string;
  EventType: string;
  EventReceivedTime: number;
}
interface Trace {
  Events: Listed[];
  NextToken?: string;
  Total: number;
}
type Entry = ReturnType<Emulator["queryEntries"]> extends Generator<infer T> ? T : never;
interface Log {
  Entries: Entry[];
  LastKey: string;
  HasMore: boolean;
}

const running: Emulator[] = [];
const start = async (options: EmulatorOptions = {}): Promise<Emulator> => {
  const emulator = await startEmulator({ calls: 0, ...options });
  running.push(emulator);
  return emulator;
};
afterEach(async () => {
  for (const emulator of running.splice(0)) await emulator.close();
});

const version = "2020-04-01";
const traced = ({ url }: Emulator, query: Record<string, string> = {}): Promise<Reply> =>
  send(url, { action: "QueryTracedEvents", version, query: { EventBusName: "default", ...query } });
const trace = async (emulator: Emulator, query: Record<string, string> = {}): Promise<Trace> =>
  (await traced(emulator, query)).body.Data as Trace;
const event = ({ url }: Emulator, EventId: string, query: Record<string, string> = {}): Promise<Reply> =>
  send(url, {
    action: "QueryEvent",
    version,
    query: { EventBusName: "default", EventSource: "acs.multimodal", EventId, ...query },
  });
const asked = ({ url }: Emulator, parameters: Record<string, string> = {}, more: Request = {}): Promise<Reply> =>
  send(url, {
    action: "QueryAskLumaLog",
    version,
    body: new URLSearchParams(parameters).toString(),
    contentType: "application/x-www-form-urlencoded",
    ...more,
  });
const log = async (emulator: Emulator, parameters: Record<string, string> = {}): Promise<Log> =>
  (await asked(emulator, parameters)).body.Data as Log;
const refusal = ({ status, body }: Reply): unknown[] => [status, body.Code];

/** All pages, until the last one says so. */
const tracedPages = async (emulator: Emulator, query: Record<string, string> = {}): Promise<Trace[]> => {
  const pages = [await trace(emulator, query)];
  for (let token = pages[0]?.NextToken; token && pages.length < 100; token = pages.at(-1)?.NextToken)
    pages.push(await trace(emulator, { ...query, NextToken: token }));
  return pages;
};
const logPages = async (emulator: Emulator, parameters: Record<string, string> = {}): Promise<Log[]> => {
  const pages = [await log(emulator, parameters)];
  for (let page = pages[0]; page?.HasMore && pages.length < 100; page = pages.at(-1)) {
    const After = page.LastKey || (page.Entries.at(-1)?.MessageId ?? "");
    pages.push(await log(emulator, { ...parameters, After }));
  }
  return pages;
};
const idsOf = (pages: Log[]): string[] => pages.flatMap(({ Entries }) => Entries.map(({ MessageId }) => MessageId));

describe("QueryTracedEvents", () => {
  test("lists every event once, as it was received, in pages", async () => {
    const emulator = await start({ chats: 12 });
    const pages = await tracedPages(emulator, { Limit: "7" });
    const held = [...emulator.chatEvents()];
    expect(held.length).toBeGreaterThan(20);
    expect(pages.flatMap(({ Events }) => Events)).toEqual(
      held.map(({ id, source, type, aliyunpublishtime }) => ({
        EventId: id,
        EventSource: source,
        EventType: type,
        EventReceivedTime: Date.parse(aliyunpublishtime),
      })),
    );
    expect(new Set(held.map(({ id }) => id)).size).toBe(held.length);
    expect(pages.slice(0, -1).map(({ Events }) => Events.length)).toEqual(pages.slice(1).map(() => 7));
    expect(pages.map(({ Total }) => Total)).toEqual(pages.map(() => held.length));
    const times = pages.flatMap(({ Events }) => Events.map((each) => each.EventReceivedTime));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((await trace(emulator)).Events).toHaveLength(10);
  });

  test("answers with a code, a boolean and an empty message", async () => {
    const { status, body } = await traced(await start());
    expect(status).toBe(200);
    expect(body).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
      Code: "Success",
      Success: true,
      Message: "",
      Data: { Events: [], Total: 0 },
    });
  });

  test("a range includes both its ends, and events of one millisecond are not lost between pages", async () => {
    const emulator = await start();
    const at = (ms: number) => new Date(1_752_500_000_000 + ms);
    const ids = [0, 5, 5, 5, 5, 9].map((ms) => emulator.addChatEvent({ sessionId: "s", received: at(ms) }));
    const window = (from: number, to: number) => ({
      StartTime: String(at(from).getTime()),
      EndTime: String(at(to).getTime()),
    });
    const found = async (query: Record<string, string>) =>
      (await tracedPages(emulator, { Limit: "2", ...query })).flatMap(({ Events }) => Events.map((e) => e.EventId));
    expect(await found({})).toEqual(ids);
    expect(await found(window(5, 9))).toEqual(ids.slice(1));
    expect(await found(window(0, 5))).toEqual(ids.slice(0, 5));
    expect(await found(window(6, 8))).toEqual([]);
  });

  test("source, type and bus select", async () => {
    const emulator = await start({ chats: 2 });
    const other = emulator.addChatEvent({ sessionId: "s", type: "multimodal:Dialogue:Other" });
    const foreign = emulator.addChatEvent({ sessionId: "s", source: "my.app" });
    const away = emulator.addChatEvent({ sessionId: "s", bus: "mine" });
    const chats = [...emulator.chatEvents()].map(({ id }) => id).filter((id) => ![other, foreign, away].includes(id));
    const found = async (query: Record<string, string>) =>
      (await trace(emulator, { Limit: "100", ...query })).Events.map(({ EventId }) => EventId);
    expect(chats.length).toBeGreaterThan(1);
    expect(await found({})).toEqual([...chats, other, foreign]);
    expect(await found({ EventSource: "acs.multimodal" })).toEqual([...chats, other]);
    expect(await found({ EventType: "multimodal:Dialogue:ChatLogPush" })).toEqual([...chats, foreign]);
    expect(await found({ EventBusName: "mine" })).toEqual([away]);
    expect(await found({ EventBusName: "nobodys" })).toEqual([]);
  });

  test("a token is good for its own query only", async () => {
    const emulator = await start({ chats: 12 });
    const { NextToken = "" } = await trace(emulator);
    expect(NextToken).not.toBe("");
    for (const query of [
      { NextToken, EventSource: "acs.multimodal" },
      { NextToken, EndTime: "1900000000000" },
      { NextToken: `${NextToken}x` },
      { NextToken: "x" },
      { NextToken: Buffer.from("null").toString("base64url") },
    ])
      expect(refusal(await traced(emulator, query))).toEqual([400, "InvalidParameter.NextToken"]);
    expect((await traced(emulator, { NextToken, Limit: "3" })).status).toBe(200);
  });

  test("an event that arrives during paging comes last", async () => {
    const emulator = await start({ chats: 12 });
    const one = await trace(emulator);
    const id = emulator.addChatEvent({ sessionId: "s" });
    const two = await trace(emulator, { NextToken: one.NextToken ?? "", Limit: "100" });
    expect(two.Events.at(-1)?.EventId).toBe(id);
    expect(one.Events.length + two.Events.length).toBe([...emulator.chatEvents()].length);
  });

  test.each([
    ["Limit", "0"],
    ["Limit", "101"],
    ["Limit", "ten"],
    ["StartTime", "2025-07-14T00:00:00Z"],
    ["EndTime", "1.5"],
  ])("%s=%s is refused", async (name, value) => {
    expect(refusal(await traced(await start(), { [name]: value }))).toEqual([400, `InvalidParameter.${name}`]);
  });

  test("a bus is required, and a range ends after it starts", async () => {
    const emulator = await start();
    expect((await traced(emulator, { EventBusName: "" })).body.Code).toBe("MissingEventBusName");
    const window = { StartTime: "1752500000001", EndTime: "1752500000000" };
    expect((await traced(emulator, window)).body.Code).toBe("InvalidParameter.EndTime");
  });
});

describe("QueryEvent", () => {
  test("gives the whole event, as it is held", async () => {
    const emulator = await start({ chats: 3, account: "1234567890123456" });
    for (const held of emulator.chatEvents()) {
      const { body } = await event(emulator, held.id);
      expect(body).toMatchObject({ Code: "Success", Success: true, Message: "" });
      expect(body.Data).toEqual(held);
    }
    const [held] = emulator.chatEvents();
    const iso = expect.stringMatching(/^2025-07-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(held).toEqual({
      datacontenttype: "application/json;charset=utf-8",
      aliyunaccountid: "1234567890123456",
      aliyunoriginalaccountid: "1234567890123456",
      aliyunpublishtime: iso,
      aliyuneventbusname: "default",
      aliyunregionid: "cn-beijing",
      subject: expect.stringMatching(/^acs\.multimodal:cn-beijing:1234567890123456:\d{6}$/),
      source: "acs.multimodal",
      type: "multimodal:Dialogue:ChatLogPush",
      specversion: "1.0",
      id: held?.data.requestId,
      time: iso,
      data: {
        code: "",
        message: "",
        requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
        sessionId: expect.stringMatching(/^[0-9a-f]{8}-/),
        input: expect.stringMatching(/^\{"biz_params":/),
        output: expect.stringMatching(/^\{"biz_info":/),
      },
    });
  });

  test("needs bus, source and id, and knows an event by all three", async () => {
    const emulator = await start({ chats: 1 });
    const id = emulator.chatEvents().next().value?.id ?? "";
    for (const name of ["EventBusName", "EventSource", "EventId"])
      expect(refusal(await event(emulator, id, { [name]: "" }))).toEqual([400, `Missing${name}`]);
    for (const name of ["EventBusName", "EventSource", "EventId"])
      expect(refusal(await event(emulator, id, { [name]: "other" }))).toEqual([404, "Event.NotFound"]);
  });

  test("an event made by hand has the words, times and fields that it was given", async () => {
    const emulator = await start({ now: () => new Date() });
    const id = emulator.addChatEvent({
      id: "mine",
      sessionId: "s1",
      prompt: "Are you there?",
      text: "Always.",
      at: new Date("2025-07-15T10:00:00Z"),
      received: new Date("2025-07-15T11:00:00Z"),
      fields: { subject: "elsewhere" },
    });
    const data = (await event(emulator, id)).body.Data as { data: { input: string; output: string } };
    expect(data).toMatchObject({
      id: "mine",
      time: "2025-07-15T10:00:00.000Z",
      aliyunpublishtime: "2025-07-15T11:00:00.000Z",
      subject: "elsewhere",
      data: { requestId: "mine", sessionId: "s1" },
    });
    expect(JSON.parse(data.data.input)).toMatchObject({ prompt: "Are you there?" });
    expect(JSON.parse(data.data.output)).toMatchObject({ output: { text: "Always." } });
    const before = Date.now();
    const late = emulator.addChatEvent({ sessionId: "s1" });
    const listed = (await trace(emulator)).Events.find(({ EventId }) => EventId === late);
    expect(listed?.EventReceivedTime).toBeGreaterThanOrEqual(before);
  });
});

test("events that were received too long ago are neither listed nor returned", async () => {
  let now = new Date();
  const emulator = await start({ traceDays: 2, now: () => now });
  const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
  const [old, young] = [49, 47].map((hours) => emulator.addChatEvent({ sessionId: "s", received: ago(hours) }));
  expect(await trace(emulator)).toMatchObject({ Events: [{ EventId: young }], Total: 1 });
  expect(refusal(await event(emulator, old ?? ""))).toEqual([404, "Event.NotFound"]);
  expect((await event(emulator, young ?? "")).status).toBe(200);
  expect([...emulator.chatEvents()]).toHaveLength(2);
  emulator.addChatEvent({ id: "edge", sessionId: "s", received: new Date(now.getTime() - 48 * 3_600_000 + 1000) });
  expect((await event(emulator, "edge")).status).toBe(200);
  now = new Date(now.getTime() + 2000);
  expect((await event(emulator, "edge")).status).toBe(404);
});

describe("QueryAskLumaLog", () => {
  const orders = ["newest", "oldest"] as const;
  const cursors = ["lastKey", "messageId"] as const;
  const variants = orders.flatMap((queryOrder) => cursors.map((queryCursor) => ({ queryOrder, queryCursor })));

  test.each(variants)("lists every entry once: $queryOrder first, by $queryCursor", async (variant) => {
    const emulator = await start({ queries: 47, ...variant });
    const held = [...emulator.queryEntries()];
    const inOrder = variant.queryOrder === "newest" ? held.toReversed() : held;
    const pages = await logPages(emulator, { Limit: "10" });
    expect(pages.flatMap(({ Entries }) => Entries)).toEqual(inOrder);
    expect(new Set(idsOf(pages)).size).toBe(47);
    expect(pages.map(({ Entries }) => Entries.length)).toEqual([10, 10, 10, 10, 7]);
    const given = variant.queryCursor === "lastKey";
    expect(pages.map(({ LastKey }) => LastKey !== "")).toEqual([given, given, given, given, false]);
    expect(pages.map(({ HasMore }) => HasMore)).toEqual([true, true, true, true, false]);
    const times = inOrder.map(({ CreatedAt }) => Number(CreatedAt));
    expect(times).toEqual(times.toSorted((a, b) => (variant.queryOrder === "newest" ? b - a : a - b)));
  });

  test("a page has 20 entries unless told otherwise, and an even last page has no successor", async () => {
    const emulator = await start({ queries: 40 });
    expect((await logPages(emulator)).map(({ Entries, HasMore }) => [Entries.length, HasMore])).toEqual([
      [20, true],
      [20, false],
    ]);
    expect((await log(emulator, { Limit: "50" })).Entries).toHaveLength(40);
    const { body } = await asked(emulator, { Limit: "1" });
    expect(body).toMatchObject({ Code: "Success", Success: true, Message: "", RequestId: expect.any(String) });
  });

  test("an agent's entries are listed alone; an unknown agent has none", async () => {
    const emulator = await start({ queries: 60 });
    const held = [...emulator.queryEntries()].toReversed();
    const [AgentName = ""] = held.map((entry) => entry.AgentName);
    const own = held.filter((entry) => entry.AgentName === AgentName).map(({ MessageId }) => MessageId);
    expect(own.length).toBeLessThan(60);
    expect(idsOf(await logPages(emulator, { AgentName, Limit: "7" }))).toEqual(own);
    expect(await log(emulator, { AgentName: "nobody" })).toEqual({ Entries: [], LastKey: "", HasMore: false });
  });

  test("a cursor must be one that the service gives", async () => {
    const byKey = await start({ queries: 30 });
    const byId = await start({ queries: 30, queryCursor: "messageId" });
    const { LastKey, Entries } = await log(byKey);
    const last = Entries.at(-1)?.MessageId ?? "";
    for (const After of ["x", last, Buffer.from("null").toString("base64url"), `${LastKey}=`])
      expect(refusal(await asked(byKey, { After }))).toEqual([400, "InvalidParameter.After"]);
    for (const After of ["x", LastKey])
      expect(refusal(await asked(byId, { After }))).toEqual([400, "InvalidParameter.After"]);
    expect((await asked(byId, { After: last })).status).toBe(200);
  });

  test.each(["0", "51", "many"])("Limit=%s is refused", async (Limit) => {
    expect(refusal(await asked(await start(), { Limit }))).toEqual([400, "InvalidParameter.Limit"]);
  });

  test("says so when it is not activated", async () => {
    const { status, body } = await asked(await start({ lumaEnabled: false, queries: 1 }));
    expect([status, body.Code, body.Message]).toEqual([403, "ServiceNotEnable", "Service not enable"]);
  });

  test("the newest queries run until they are finished", async () => {
    const emulator = await start({ queries: 10, runningQueries: 2 });
    const states = async () => (await log(emulator)).Entries.map(({ Status }) => Status);
    const [newest, second] = (await log(emulator)).Entries;
    expect([newest?.Status, second?.Status, newest?.DurationMs]).toEqual(["RUNNING", "RUNNING", 0]);
    expect((await states()).filter((status) => status === "RUNNING")).toHaveLength(2);
    const id = newest?.MessageId ?? "";
    emulator.finishQuery(id);
    const [finished] = (await log(emulator)).Entries;
    expect(finished).toMatchObject({ MessageId: id, Question: newest?.Question, Status: "SUCCEEDED" });
    expect(finished?.Content.TextAttachments).toHaveLength(1);
    expect(() => emulator.finishQuery(id)).toThrow("No such running query");
    expect(() => emulator.finishQuery("nobody")).toThrow("No such running query");
  });

  test("an entry made by hand has what it was given", async () => {
    const emulator = await start({ queries: 3 });
    const id = emulator.addQuery({
      conversationId: "talk",
      agentName: "mine",
      question: "How many?",
      answer: "Many.",
      source: "CHAT",
      status: "RUNNING",
    });
    const [running] = (await log(emulator)).Entries;
    expect(running).toMatchObject({ MessageId: id, ConversationId: "talk", AgentName: "mine", Question: "How many?" });
    expect(running?.Content).toMatchObject({ TextAttachments: [], MessageAttachments: [{ Role: "assistant" }] });
    emulator.finishQuery(id);
    const [finished] = (await log(emulator)).Entries;
    expect(finished?.Content.MessageAttachments?.at(-1)).toMatchObject({ Role: "assistant", Content: "Many." });
    expect(() => emulator.addQuery({ messageId: id })).toThrow("already a query");
    emulator.addQuery({ messageId: "old", createdAt: new Date(5), fields: { Content: null } });
    expect([...emulator.queryEntries()][0]).toMatchObject({ MessageId: "old", CreatedAt: "5", Content: null });
  });
});

describe("faults and refusals", () => {
  const actions = ["QueryTracedEvents", "QueryEvent", "QueryAskLumaLog"];

  test.each(actions)("%s of another version, or denied, is refused", async (action) => {
    const emulator = await start({ deny: [action] });
    expect(refusal(await send(emulator.url, { action, version: "2020-11-09" }))).toEqual([400, "InvalidVersion"]);
    const { status, body } = await send(emulator.url, { action, version });
    expect([status, body.Code]).toEqual([403, "Forbidden.RAM"]);
    expect(body.Message).toBe(`User not authorized to operate on the specified resource: eventbridge:${action}.`);
  });

  test.each(actions)("%s is signed, counted, throttled and broken like all others", async (action) => {
    const now = new Date();
    const emulator = await start({ quota: 1, now: () => now });
    const call = () => send(emulator.url, { action, version });
    expect((await send(emulator.url, { action, version, secret: "no" })).body.Code).toBe("SignatureDoesNotMatch");
    expect((await call()).body.Code).not.toBe("Throttling.User");
    expect((await call()).body.Code).toBe("Throttling.User");
    expect(emulator.stats.requests).toEqual({ [action]: 3 });
    const broken = await start({ faults: { error: 1 } });
    expect(refusal(await send(broken.url, { action, version }))).toEqual([500, "InternalError"]);
  });

  test("repeat: traced events come with the cursor that was given, and without one nothing is repeated", async () => {
    const emulator = await start({ chats: 20, faults: { repeat: 1 } });
    const { NextToken = "" } = await trace(emulator);
    expect(NextToken).not.toBe("");
    const second = await trace(emulator, { NextToken, Limit: "100" });
    expect(second.NextToken).toBe(NextToken);
    expect(await trace(emulator, { NextToken, Limit: "100" })).toEqual(second);
    emulator.faults = {};
    expect(await trace(emulator, { NextToken, Limit: "100" })).toEqual({ Events: second.Events, Total: second.Total });
  });

  test("repeat: the query log comes with the cursor that was given", async () => {
    const emulator = await start({ queries: 30, faults: { repeat: 1 } });
    const { LastKey } = await log(emulator);
    const second = await log(emulator, { After: LastKey });
    expect([second.LastKey, second.HasMore, second.Entries.length]).toEqual([LastKey, true, 10]);
    const byId = await start({ queries: 30, queryCursor: "messageId", faults: { repeat: 1 } });
    const first = await log(byId);
    const After = first.Entries.at(-1)?.MessageId ?? "";
    expect(await log(byId, { After })).toEqual(first);
    byId.faults = {};
    expect((await log(byId, { After })).Entries[0]?.MessageId).not.toBe(first.Entries[0]?.MessageId);
  });

  test("shift: an entry turns up between two pages", async () => {
    const emulator = await start({ queries: 30, queryOrder: "oldest", faults: { shift: 1 } });
    const one = await log(emulator);
    expect([...emulator.queryEntries()]).toHaveLength(30);
    const two = await log(emulator, { After: one.LastKey });
    expect(two.Entries).toHaveLength(11);
    expect([...emulator.queryEntries()].at(-1)).toEqual(two.Entries.at(-1));
  });
});
