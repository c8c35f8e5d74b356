import { describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/index.ts";
import { emulators } from "./running.ts";
import { describeCall, type Reply, send } from "./signer.ts";

const start = emulators();

type Dialogue = ReturnType<Emulator["dialogues"]>[number];
interface Log {
  startTime: number;
  dialog: { begin: number; role: string; type: string; text: string }[];
}

const ALL = { StartTime: "0", EndTime: "17358082464030" };
const list = ({ url }: Emulator, SessionId: string, query: Record<string, string> = {}): Promise<Reply> =>
  send(url, { action: "ListAIAgentDialogues", query: { SessionId, ...ALL, ...query } });
const listed = async (...parameters: Parameters<typeof list>): Promise<Dialogue[]> =>
  (await list(...parameters)).body.Dialogues as Dialogue[];
const sessionOf = async ({ url }: Emulator, id: string): Promise<string> =>
  String((await describeCall(url, id)).body.Instance?.SessionId);
const logOf = (emulator: Emulator, id: string): Log =>
  JSON.parse(Buffer.from(emulator.callLog(id) ?? []).toString()) as Log;
/** Letters and digits, which no text of a dialogue changes. */
const bare = (text: string): string =>
  text
    .replaceAll("<ims_agent_interrupted>", "")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");

/** All pages, until an empty one. */
const pages = async (emulator: Emulator, session: string, query: Record<string, string>): Promise<Dialogue[]> => {
  const found: Dialogue[] = [];
  for (let page = 1; page < 100; page++) {
    const items = await listed(emulator, session, { ...query, PageNumber: String(page) });
    if (items.length === 0) return found;
    found.push(...items);
  }
  throw new Error("more than 100 pages");
};

describe("ListAIAgentDialogues", () => {
  test("a call's session has a dialogue for each entry of its call log", async () => {
    const emulator = await start({ calls: 60 });
    for (const id of emulator.ids()) {
      const { dialog, startTime } = logOf(emulator, id);
      const dialogues = await listed(emulator, await sessionOf(emulator, id), { Order: "ASC", PageSize: "100" });
      expect(dialogues.map(({ Producer }) => Producer)).toEqual(dialog.map(({ role }) => role));
      expect(dialogues.map(({ Type }) => Type)).toEqual(dialog.map(({ type }) => type));
      expect(dialogues.map(({ Text }) => bare(Text))).toEqual(dialog.map(({ text }) => bare(text)));
      dialogues.forEach(({ Time, Source }, index) => {
        const at = (startTime + (dialog[index]?.begin ?? 0)) * 1000;
        expect(Math.abs(Time - at)).toBeLessThan(1_000);
        expect(Source).toBe("call");
      });
    }
  });

  test("a dialogue's time lies within its call", async () => {
    const emulator = await start({ calls: 60 });
    for (const id of emulator.ids()) {
      const { body } = await describeCall(emulator.url, id);
      const info = body.Instance?.CallInfo as Record<string, string> | undefined;
      const started = Date.parse(info?.CallStartTime ?? "");
      for (const { Time } of emulator.dialogues(String(body.Instance?.SessionId))) {
        expect(Time).toBeGreaterThanOrEqual(started);
        expect(Time).toBeLessThanOrEqual(started + Number(info?.CallDuration) * 1000);
      }
    }
  });

  test("texts differ from the log's in signs, spaces and case, and have lost most of the tags", async () => {
    const emulator = await start({ calls: 200 });
    const [texts, logged]: [string[], string[]] = [[], []];
    for (const id of emulator.ids()) {
      logged.push(...logOf(emulator, id).dialog.map(({ text }) => text));
      texts.push(...emulator.dialogues(await sessionOf(emulator, id)).map(({ Text }) => Text));
    }
    const different = texts.filter((text, index) => text !== logged[index]);
    expect(different.length / texts.length).toBeGreaterThan(0.1);
    expect(different.length / texts.length).toBeLessThan(0.6);
    const tagged = (list: string[]): number => list.filter((text) => text.includes("<ims_agent_interrupted>")).length;
    expect(tagged(texts)).toBeGreaterThan(0);
    expect(tagged(texts)).toBeLessThan(tagged(logged) / 2);
  });

  test("ids are unique, and the same seed gives the same dialogues", async () => {
    // Links expire by this clock.
    const now = (): Date => new Date("2025-07-21T00:00:00Z");
    const options = { calls: 80, typedChats: 20, seed: 5, now };
    const [a, b] = [await start(options), await start(options)];
    const sessions = [...a.sessionIds()];
    expect([...b.sessionIds()]).toEqual(sessions);
    const strip = (emulator: Emulator): string =>
      JSON.stringify(sessions.map((session) => emulator.dialogues(session))).replaceAll(emulator.url, "");
    expect(strip(b)).toBe(strip(a));
    const ids = sessions.flatMap((session) => a.dialogues(session).map(({ DialogueId }) => DialogueId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    const other = await start({ ...options, seed: 6 });
    expect([...other.sessionIds()].some((session) => sessions.includes(session))).toBe(false);
  });

  test("some have reasoning, a node, more data", async () => {
    const emulator = await start({ calls: 40 });
    const all = [...emulator.sessionIds()].flatMap((session) => emulator.dialogues(session));
    const withReasoning = all.filter(({ ReasoningText }) => ReasoningText !== undefined);
    expect(withReasoning.length).toBeGreaterThan(10);
    expect(withReasoning.every(({ Producer }) => Producer === "agent")).toBe(true);
    expect(all.some(({ NodeId }) => NodeId !== undefined)).toBe(true);
    const extended = all.flatMap(({ Extend }) => (Extend === undefined ? [] : [JSON.parse(Extend) as unknown]));
    expect(extended.length).toBeGreaterThan(10);
    expect(all.length).toBeGreaterThan(2 * extended.length);
  });

  test.each(["ASC", "DESC"])("pages list each dialogue once, %s", async (Order) => {
    const emulator = await start({ calls: 30 });
    for (const session of emulator.sessionIds()) {
      const held = emulator.dialogues(session);
      const expected = Order === "ASC" ? held : [...held].reverse();
      expect(await pages(emulator, session, { Order, PageSize: "7" })).toEqual(expected);
    }
  });

  test("newest first and 20 a page, unless it is said otherwise", async () => {
    const emulator = await start({ calls: 0 });
    for (let n = 0; n < 25; n++) emulator.addDialogue({ sessionId: "s", text: `${n}`, time: new Date(n) });
    const texts = (await listed(emulator, "s")).map(({ Text }) => Text);
    expect(texts).toEqual(Array.from({ length: 20 }, (_, n) => `${24 - n}`));
  });

  test("a range includes both its ends", async () => {
    const emulator = await start({ calls: 0 });
    for (const at of [10, 11, 11, 12]) emulator.addDialogue({ sessionId: "s", text: `${at}`, time: new Date(at) });
    const texts = async (StartTime: string, EndTime: string) =>
      (await listed(emulator, "s", { StartTime, EndTime, Order: "ASC" })).map(({ Text }) => Text);
    expect(await texts("10", "12")).toEqual(["10", "11", "11", "12"]);
    expect(await texts("11", "11")).toEqual(["11", "11"]);
    expect(await texts("13", "99")).toEqual([]);
  });

  test.each([
    [{ PageSize: "101" }, "InvalidParameter.PageSize"],
    [{ PageNumber: "0" }, "InvalidParameter.PageNumber"],
    [{ Order: "UP" }, "InvalidParameter.Order"],
    [{ StartTime: "" }, "MissingStartTime"],
    [{ EndTime: "" }, "MissingEndTime"],
    [{ StartTime: "2025-07-14" }, "InvalidParameter.StartTime"],
    [{ StartTime: "5", EndTime: "4" }, "InvalidParameter.EndTime"],
    [{ SessionId: "" }, "MissingSessionId"],
  ])("%j is refused", async (query, code) => {
    const { status, body } = await list(await start({ calls: 0 }), "s", query as Record<string, string>);
    expect([status, body.Code]).toEqual([400, code]);
  });

  test("an unknown session has no dialogues", async () => {
    const emulator = await start({ calls: 5 });
    const { status, body } = await list(emulator, "nobodys");
    expect([status, body]).toEqual([200, { RequestId: expect.any(String), Dialogues: [] }]);
  });

  test("dialogues expire by the clock", async () => {
    let now = new Date("2025-07-20T00:00:00Z");
    const emulator = await start({ calls: 0, dialogueDays: 30, now: () => now });
    const at = new Date("2025-07-19T00:00:00Z");
    emulator.addDialogue({ sessionId: "s", text: "old", time: at });
    const date = (): string => now.toISOString().replace(/\.\d+/, "");
    const texts = async () => {
      const query = { SessionId: "s", ...ALL };
      const { body } = await send(emulator.url, { action: "ListAIAgentDialogues", query, date: date() });
      return (body.Dialogues as Dialogue[]).map(({ Text }) => Text);
    };
    expect(await texts()).toEqual(["old"]);
    now = new Date("2025-08-19T00:00:01Z");
    expect(await texts()).toEqual([]);
    expect(emulator.dialogues("s")).toHaveLength(1);
  });

  test("it obeys version, signature, deny, quota and faults, and is counted", async () => {
    const action = "ListAIAgentDialogues";
    const codes = async (options: Parameters<typeof start>[0], more: Parameters<typeof send>[1] = {}) => {
      const { url, stats } = await start({ calls: 0, ...options });
      const { body } = await send(url, { action, query: { SessionId: "s", ...ALL }, ...more });
      expect(stats.requests[action]).toBe(1);
      expect(stats.errors).toEqual({ [String(body.Code)]: 1 });
      return body.Code;
    };
    expect(await codes({}, { secret: "wrong" })).toBe("SignatureDoesNotMatch");
    expect(await codes({}, { version: "2016-11-01" })).toBe("InvalidVersion");
    expect(await codes({ deny: [action] })).toBe("Forbidden.RAM");
    expect(await codes({ quota: 0.5 })).toBe("Throttling.User");
    expect(await codes({ faults: { throttle: 1 } })).toBe("Throttling.User");
  });

  test("with the fault shift a dialogue comes between two pages, with cap pages are short", async () => {
    const emulator = await start({ calls: 0 });
    for (let n = 0; n < 6; n++) emulator.addDialogue({ sessionId: "s", text: `${n}`, time: new Date(n) });
    emulator.faults = { cap: 2 };
    expect((await pages(emulator, "s", { Order: "ASC" })).map(({ Text }) => Text)).toEqual([..."012345"]);
    expect(await listed(emulator, "s", { PageSize: "5" })).toHaveLength(2);
    emulator.faults = { shift: 1 };
    const query = { PageSize: "3" };
    const first = await listed(emulator, "s", query);
    const second = await listed(emulator, "s", { ...query, PageNumber: "2" });
    expect(first.map(({ Text }) => Text)).toEqual([..."543"]);
    expect(second.map(({ Text }) => Text)).toEqual([..."321"]);
  });
});

describe("sessions", () => {
  test("a hand-made call has dialogues of its session, and can share it", async () => {
    const emulator = await start({ calls: 0 });
    const body = (startTime: number, text: string) =>
      JSON.stringify({ startTime, dialog: [{ id: 1, begin: 0.5, role: "agent", type: "greeting", text }] });
    const instance = { SessionId: "shared" };
    const b = emulator.add({ body: body(1_752_500_100, "second"), instance });
    const a = emulator.add({ body: body(1_752_500_000, "first"), instance });
    const own = emulator.add({ body: body(1_752_500_000, "alone") });
    const broken = emulator.add({ body: "{not JSON" });
    expect(await sessionOf(emulator, a)).toBe("shared");
    expect(await sessionOf(emulator, b)).toBe("shared");
    const texts = (session: string) => emulator.dialogues(session).map(({ Text }) => bare(Text));
    expect(texts("shared")).toEqual(["first", "second"]);
    expect(texts(await sessionOf(emulator, own))).toEqual(["alone"]);
    expect(texts(await sessionOf(emulator, broken))).toEqual([]);
    expect([...emulator.sessionIds()]).toHaveLength(3);
  });

  test("odd entries of a log do no harm", async () => {
    const emulator = await start({ calls: 0 });
    const dialog = [
      { role: "agent", text: 7 },
      "x",
      null,
      { begin: "soon", role: "tool", text: "\ud800" },
      { begin: -1e9 },
    ];
    const id = emulator.add({ body: JSON.stringify({ startTime: 1_752_500_000.25, dialog }) });
    const dialogues = emulator.dialogues(await sessionOf(emulator, id));
    expect(dialogues.map(({ Producer, Text }) => [Producer, Text])).toEqual([
      ["agent", ""],
      ["user", "\ud800"],
      ["user", ""],
    ]);
    expect(new Set(dialogues.map(({ Time }) => Time))).toEqual(new Set([1_752_500_000_250]));
  });

  test("typed messages come before and after calls, in sessions of two calls, and alone", async () => {
    const emulator = await start({ calls: 60, agents: 2, typedChats: 24 });
    const sessions = [...emulator.sessionIds()];
    expect(new Set(sessions).size).toBe(sessions.length);
    const callsOf = new Map<string, string[]>();
    for (const id of emulator.ids()) {
      const session = await sessionOf(emulator, id);
      callsOf.set(session, [...(callsOf.get(session) ?? []), id]);
    }
    expect(sessions).toEqual(expect.arrayContaining([...callsOf.keys()]));
    const typed = sessions.filter((session) => emulator.dialogues(session).some(({ Source }) => Source === "chat"));
    expect(typed).toHaveLength(24);
    expect(typed.filter((session) => !callsOf.has(session))).toHaveLength(6);
    expect(typed.filter((session) => callsOf.get(session)?.length === 2).length).toBeGreaterThan(3);
    let [before, after] = [0, 0];
    for (const session of typed) {
      const dialogues = emulator.dialogues(session);
      const calls = dialogues.filter(({ Source }) => Source === "call");
      const logged = (callsOf.get(session) ?? []).flatMap((id) => logOf(emulator, id).dialog);
      expect(calls).toHaveLength(logged.length);
      expect(dialogues.map(({ Time }) => Time)).toEqual(dialogues.map(({ Time }) => Time).sort((a, b) => a - b));
      const firstCall = calls[0]?.Time ?? Number.POSITIVE_INFINITY;
      const lastCall = calls.at(-1)?.Time ?? Number.POSITIVE_INFINITY;
      const chats = dialogues.filter(({ Source }) => Source === "chat");
      before += chats.filter(({ Time }) => Time < firstCall).length;
      after += chats.filter(({ Time }) => Time > lastCall).length;
      expect(chats.every(({ Time }) => Time < firstCall || Time > lastCall)).toBe(true);
    }
    expect(Math.min(before, after)).toBeGreaterThan(10);
    expect(emulator.dialogues(typed[0] ?? "")).not.toEqual([]);
  });

  test("some typed messages have attached files", async () => {
    const emulator = await start({ calls: 20, typedChats: 20 });
    const files = [...emulator.sessionIds()]
      .flatMap((session) => emulator.dialogues(session))
      .flatMap(({ AttachedFileList = [] }) => AttachedFileList);
    expect(files.length).toBeGreaterThan(3);
    for (const { Id, Name, Format, Type, Url } of files) {
      expect([Name, Format, Type]).toEqual([expect.stringMatching(/\.png$/), "png", 1]);
      expect(new URL(Url).pathname).toMatch(new RegExp(`^/emulator-files/chat/[0-9a-f]{32}/${Id}\\.png$`));
    }
  });

  test("a dialogue can be added and replaced, also one of a call", async () => {
    const emulator = await start({ calls: 1, agents: 1 });
    const [session = ""] = emulator.sessionIds();
    const [greeting] = emulator.dialogues(session);
    const time = new Date(greeting?.Time ?? 0);
    const dialogueId = greeting?.DialogueId ?? "";
    const count = emulator.dialogues(session).length;
    const added = { sessionId: session, dialogueId, text: "changed", time, source: "call", producer: "agent" } as const;
    expect(emulator.addDialogue({ ...added, fields: { Extend: "{}" } })).toBe(dialogueId);
    expect(emulator.dialogues(session)).toHaveLength(count);
    const [changed] = emulator.dialogues(session).filter(({ DialogueId }) => DialogueId === dialogueId);
    expect(changed).toMatchObject({ Text: "changed", Extend: "{}", Source: "call", Producer: "agent", Type: "normal" });
    const id = emulator.addDialogue({ sessionId: "new", text: "hello", reasoning: "why" });
    expect(await listed(emulator, "new")).toMatchObject([{ DialogueId: id, ReasoningText: "why", Producer: "user" }]);
    expect([...emulator.sessionIds()]).toEqual([session, "new"]);
  });

  test("typed messages leave call logs as they are, and the SessionId of all calls but the second ones", async () => {
    const [plain, typed] = [await start({ calls: 40 }), await start({ calls: 40, typedChats: 12, recordings: 10 })];
    let moved = 0;
    for (const id of plain.ids()) {
      expect(typed.callLog(id)).toEqual(plain.callLog(id));
      if ((await sessionOf(typed, id)) !== (await sessionOf(plain, id))) moved++;
    }
    expect(moved).toBe(40 - new Set([...typed.sessionIds()]).size + 3);
    expect(moved).toBeGreaterThan(0);
  });
});
