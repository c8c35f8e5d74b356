import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidDocument } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/transcript.ts";
import { callTranscript, readCallLog, startedAt } from "../../src/parse/call-log.ts";

const seed = readFileSync(new URL("../fixtures/seed/b9566.json", import.meta.url));

const transcript = (bytes: Uint8Array | string, meta?: JsonObject) =>
  callTranscript({
    id: "call-1",
    document: { bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes, sha256: "00" },
    ...(meta && { meta }),
  });
const log = (value: unknown) => transcript(JSON.stringify(value));
const turns = (...dialog: unknown[]) => log({ dialog }).turns;
const problem = (bytes: Uint8Array | string): InvalidDocument => {
  try {
    transcript(bytes);
  } catch (error) {
    if (error instanceof InvalidDocument) return error;
    throw error;
  }
  throw new Error("it was read");
};

describe("the documentation's own call log", () => {
  const read = transcript(seed);

  it("keeps all seven turns in order, the last two both the caller's", () => {
    expect(read.turns.map(({ id, role, kind, begin }) => [id, role, kind, begin])).toEqual([
      ["1", "agent", "greeting", 4.45],
      ["2", "user", "normal", 5.383],
      ["3", "agent", "normal", 53.951],
      ["4", "user", "normal", 54.922],
      ["5", "agent", "normal", 81.97],
      ["6", "user", "normal", 84.78],
      ["7", "user", "normal", 88.561],
    ]);
  });
  it("places the call and its turns in time", () => {
    expect(read.startedAt).toBe("2025-08-14T02:21:12.245Z");
    expect(read.turns[0]?.at).toBe("2025-08-14T02:21:16.695Z");
    expect(startedAt(readCallLog(seed), {})).toBe(read.startedAt);
  });
  it("names both participants, and the mismatch of its own id", () => {
    expect(read.participants).toEqual({
      agentUserId: "AGENT_USER1b7**************fac945",
      remoteUserId: "210413545",
    });
    expect(readCallLog(seed).instanceId).toBe("b9566********************3c5eb2");
    expect(read.extra).toEqual({ instanceid: "b9566********************3c5eb2" });
  });
  it("reads the same when gzipped, or behind a byte order mark", () => {
    const { provenance: _, ...plain } = read;
    for (const bytes of [gzipSync(seed), Buffer.concat([Buffer.from("\uFEFF"), seed])]) {
      const { provenance, ...same } = transcript(bytes);
      expect(same).toEqual(plain);
      expect(provenance).toEqual({ records: [{ source: "calls", sha256: "00", bytes: bytes.length }] });
    }
  });
  it("cut at any place is reported as not JSON, and never quoted", () => {
    for (const bytes of [seed, gzipSync(seed)]) {
      for (let end = 0; end < bytes.length - 8; end += 97) {
        const error = problem(bytes.subarray(0, end));
        expect(error.facts.code).toBe("NotJson");
        expect(error.message).not.toMatch(/Xiaoyun|fox|b9566/);
      }
    }
  });
});

describe("a document that is not a call log", () => {
  it.each([
    ["an empty body", "", "NotJson", /empty/],
    ["a web page", "\n<html>502 secret</html>", "NotJson", /HTML/],
    ["a text", "secret", "NotJson", /not JSON/],
    ["invalid UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "NotJson", /UTF-8/],
    ["null", "null", "NotACallLog", /object/],
    ["a list", "[]", "NotACallLog", /object/],
    ["no dialog", "{}", "NotACallLog", /dialog/],
    ["a dialog that is an object", '{"dialog":{}}', "NotACallLog", /dialog/],
    ["an entry that is null", '{"dialog":[{},null]}', "NotACallLog", /entry 2/],
    ["an entry that is a list", '{"dialog":[[]]}', "NotACallLog", /entry 1/],
    ["a text that is a number", '{"dialog":[{"text":5}]}', "NotACallLog", /text/],
    ["a begin that is a word", '{"dialog":[{"begin":"secret"}]}', "NotACallLog", /begin/],
    ["a begin that is endless", '{"dialog":[{"begin":1e999}]}', "NotACallLog", /begin/],
    ["a begin that is empty", '{"dialog":[{"begin":""}]}', "NotACallLog", /begin/],
    ["endless nesting", `{"dialog":[],"x":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, "NotACallLog", /deep/],
    ["a gzip bomb", gzipSync(Buffer.alloc(65 * 1024 * 1024, " ")), "TooLarge", /64 MB/],
  ])("is refused with its reason: %s", (_, bytes, code, message) => {
    const error = problem(bytes);
    expect(error.facts.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("secret");
    expect(error.cause).toBeUndefined();
  });
});

describe("a log that is odd but readable", () => {
  it("may leave everything out", () => {
    expect(log({ dialog: [] })).toEqual({
      id: "call-1",
      source: "calls",
      participants: {},
      turns: [],
      provenance: { records: [{ source: "calls", sha256: "00", bytes: 13 }] },
    });
    expect(turns({})).toEqual([{ id: "1", role: "unknown", kind: "normal", text: "" }]);
    expect(turns({ id: null, role: null, type: null, begin: null, text: null })).toEqual(turns({}));
  });
  it("keeps unknown roles and types, empty texts, duplicate and textual ids, and begins written as text", () => {
    expect(
      turns(
        { id: 1, role: "bot", type: "farewell", text: "", begin: "4.5" },
        { id: 1, role: "user", text: "a" },
        { id: "x", role: "user" },
      ),
    ).toEqual([
      { id: "1", role: "bot", kind: "farewell", text: "", begin: 4.5 },
      { id: "1", role: "user", kind: "normal", text: "a" },
      { id: "x", role: "user", kind: "normal", text: "" },
    ]);
  });
  it.each(["instanceid", "instanceId", "InstanceId", "INSTANCEID"])("may write its id's key %s", (key) => {
    expect(readCallLog(Buffer.from(JSON.stringify({ [key]: "i", dialog: [] })))).toEqual({
      instanceId: "i",
      dialog: [],
    });
  });
  it("marks a turn that the caller interrupted, and keeps its complete text", () => {
    const text = "One. <ims_agent_interrupted>Two.";
    expect(turns({ role: "agent", text }, { role: "user", text })).toMatchObject([
      { text, interrupted: true },
      { text },
    ]);
    expect(turns({ role: "user", text })[0]).not.toHaveProperty("interrupted");
  });
  it("keeps unknown fields, and known fields with an unusable value", () => {
    const read = log({ version: 2, startTime: 1755138072245, dialog: [{ emotion: { joy: 1 }, role: ["user"] }] });
    expect(read.extra).toEqual({ version: 2, startTime: 1755138072245 });
    expect(read).not.toHaveProperty("startedAt");
    expect(read.turns[0]?.extra).toEqual({ emotion: { joy: 1 }, role: ["user"] });
  });
  it("cannot pollute prototypes", () => {
    const read = transcript('{"__proto__":{"polluted":1},"dialog":[{"__proto__":{"polluted":1},"constructor":2}]}');
    expect(({} as JsonObject).polluted).toBeUndefined();
    expect((read as { polluted?: unknown }).polluted).toBeUndefined();
    expect(JSON.stringify(read.turns[0]?.extra)).toBe('{"__proto__":{"polluted":1},"constructor":2}');
    expect(JSON.stringify(read.extra)).toBe('{"__proto__":{"polluted":1}}');
  });
  it("leaves no lone surrogate anywhere", () => {
    const bad = '"a\\ud800"';
    const read = transcript(
      `{"agentUserId":${bad},${bad}:[{${bad}:${bad}}],"dialog":[{"id":${bad},"role":${bad},"type":${bad},"text":${bad}}]}`,
      { UserData: `{${bad}:${bad}}`, SessionId: "\udc00", Status: "\udc00" },
    );
    expect(JSON.stringify(read)).not.toMatch(/\\ud/);
    expect(read.turns[0]?.text).toBe("a\ufffd");
    expect(read.userData).toEqual({ "a\ufffd": "a\ufffd" });
  });
  it("survives a begin outside the calendar", () => {
    const [turn] = log({ startTime: 1755138072, dialog: [{ begin: 1e300 }] }).turns;
    expect(turn).toEqual({ id: "1", role: "unknown", kind: "normal", text: "", begin: 1e300 });
  });
  it("counts time without the noise of fractions", () => {
    const at = (begin: number) => log({ startTime: 1755138072, dialog: [{ begin }] }).turns[0]?.at;
    for (let ms = 0; ms < 1000; ms += 1) expect(at(ms / 1000)).toBe(new Date(1755138072000 + ms).toISOString());
  });
});

describe("what describe adds", () => {
  const meta: JsonObject = {
    Status: "Finished",
    SessionId: "s",
    GmtCreate: "2025-07-18T06:39:08.000+00:00",
    UserData: '{"order":7}',
    RuntimeConfig: { AgentUserId: "from-meta" },
    AgentConfig: { LlmConfig: { LlmSystemPrompt: "Be kind." }, AsrConfig: { AsrLanguageId: "zh" } },
    CallInfo: {
      CallStartTime: "2025-07-18T06:39:10.123456+00:00",
      CallEndTime: "2025-07-18T06:40:10.623456+00:00",
      CallerNumber: "+861",
      CalleeNumber: "+862",
    },
  };

  it("fills what the log leaves out", () => {
    expect(transcript('{"dialog":[{"begin":1}]}', meta)).toEqual({
      id: "call-1",
      source: "calls",
      sessionId: "s",
      startedAt: "2025-07-18T06:39:10.123Z",
      endedAt: "2025-07-18T06:40:10.623Z",
      durationSeconds: 60.5,
      status: "Finished",
      participants: { agentUserId: "from-meta", caller: "+861", callee: "+862" },
      system: "Be kind.",
      language: "zh",
      userData: { order: 7 },
      turns: [{ id: "1", role: "unknown", kind: "normal", text: "", begin: 1, at: "2025-07-18T06:39:11.123Z" }],
      provenance: { records: [{ source: "calls", sha256: "00", bytes: 24 }] },
    });
  });
  it("never overrules the log", () => {
    const read = transcript(seed, meta);
    expect(read.startedAt).toBe("2025-08-14T02:21:12.245Z");
    expect(read.participants.agentUserId).toMatch(/^AGENT_USER/);
    expect(read).not.toHaveProperty("durationSeconds");
  });
  it("gives the creation time when no call started", () => {
    expect(startedAt(undefined, { GmtCreate: "2025-07-18T06:39:08.000+00:00" })).toBe("2025-07-18T06:39:08.000Z");
  });
  it("is ignored when its value is unusable", () => {
    const hostile: JsonObject = {
      Status: {},
      GmtCreate: "yesterday",
      RuntimeConfig: [],
      AgentConfig: { LlmConfig: "x", AsrConfig: null },
      CallInfo: { CallStartTime: 5, CallDuration: -1, CallerNumber: false },
      UserData: ["x"],
    };
    expect(transcript('{"dialog":[]}', hostile)).toEqual(transcript('{"dialog":[]}'));
  });
  it.each([
    ["12", 12],
    ["12345678901234567890", "12345678901234567890"],
    ['{"order":12345678901234567890}', { order: "12345678901234567890" }],
    ["007", "007"],
    ["plain", "plain"],
    ["[".repeat(1e5), "[".repeat(1e5)],
    ["[".repeat(1e3) + "]".repeat(1e3), "[".repeat(1e3) + "]".repeat(1e3)],
  ])("keeps the integrator's data as it was meant (%#)", (text, expected) => {
    expect(transcript('{"dialog":[]}', { UserData: text }).userData).toEqual(expected);
  });
});

describe("any bytes", () => {
  const fair = (bytes: Uint8Array, meta: unknown) => {
    try {
      JSON.stringify(transcript(bytes, meta as JsonObject));
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidDocument);
    }
  };
  it("give a transcript or an InvalidDocument", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => fair(bytes, {})));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => fair(Buffer.from([0x1f, 0x8b, ...bytes]), {})));
  });
  it("also when they are JSON, in the shape of a call log or nearly", () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.jsonValue());
    const entry = fc.record({ id: value, begin: value, role: value, type: value, text: value }, { requiredKeys: [] });
    const shape = fc.record(
      {
        instanceId: value,
        startTime: value,
        agentUserId: value,
        dialog: fc.oneof(fc.array(fc.oneof(entry, value)), value),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(shape, fc.dictionary(fc.string(), fc.jsonValue()), (log, meta) => {
        fair(Buffer.from(JSON.stringify(log)), { ...meta, CallInfo: log, UserData: JSON.stringify(log) });
      }),
    );
  });
});
