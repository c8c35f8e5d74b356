import "../helpers/seed.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/canonical.ts";
import { InvalidDocument } from "../../src/core/errors.ts";
import { isUsableId } from "../../src/core/ids.ts";
import type { Arrival } from "../../src/core/records.ts";
import type { Json, JsonObject } from "../../src/core/transcript.ts";
import { callbackMedia, callbackTime } from "../../src/parse/callback-data.ts";
import { callbackArrivals, signedLinks } from "../../src/sources/callbacks.ts";
import { dialogueArrival, isOfCall } from "../../src/sources/dialogues.ts";

const CALL = "39F8e0bc005e4f309379701645f40001";
const ID = CALL.toLowerCase();
const TIME = 1_762_909_206_600;
const body = (event: string, more: JsonObject = {}): JsonObject => ({
  aiAgentId: "agent",
  instanceId: CALL,
  event,
  ...more,
});
const records = (value: Json): Arrival["record"][] => callbackArrivals(value).arrivals.map(({ record }) => record);
const only = (value: Json): Arrival["record"] => {
  const [record, ...more] = records(value);
  if (!record || more.length > 0) throw new Error(`${more.length + 1} records`);
  return record;
};
const mediaOf = (data: Json, event = "audio_record") => only(body(event, { data })).media;
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidDocument) return String(error.facts.code);
    throw error;
  }
  return "none";
};

describe("a chat_record", () => {
  const dialogue = { dialogueId: "d1", roundId: "r", producer: "user", text: "Hi", time: TIME };

  it("is a record for each dialogue, at the top level and under data", () => {
    const other = { ...dialogue, dialogueId: "d2", time: TIME + 1000 };
    const { instanceId, event, arrivals } = callbackArrivals(
      body("chat_record", { dialogues: [dialogue], data: { dialogues: [other] } }),
    );
    expect([instanceId, event]).toEqual([ID, "chat_record"]);
    expect(arrivals).toEqual(
      [dialogue, other].map((each) => ({
        source: "calls",
        conversation: ID,
        agentId: "agent",
        record: {
          source: "callbacks",
          id: `${ID}/dialogue/${each.dialogueId}`,
          at: new Date(each.time),
          data: { event: "chat_record", instanceId: ID, aiAgentId: "agent", dialogue: each },
        },
      })),
    );
  });
  it("is the same record however it was delivered", () => {
    const [one] = records(body("chat_record", { requestId: "1", dialogues: [dialogue] }));
    const data = { requestId: "2", code: "Success", message: "Success", dialogues: [dialogue] };
    const ways = [
      body("chat_record", { data, timestamp: "2025-11-12T01:00:00Z" }),
      body("chat_record", { data: JSON.stringify(data), code: 200 }),
      body("chat_record", { dialogues: [dialogue, { ...dialogue, dialogueId: "d2" }], instanceId: ID }),
    ];
    for (const way of ways) expect(records(way)[0]).toEqual(one);
  });
  it("keeps what else it tells, once for all deliveries that tell the same", () => {
    const told = (second: number) =>
      records(
        body("chat_record", {
          requestId: `${second}`,
          timestamp: new Date(TIME + second * 1000).toISOString(),
          userData: "{}",
          dialogues: [{ ...dialogue, dialogueId: `d${second}` }, 5],
        }),
      );
    const [, rest] = told(1);
    expect(rest?.data).toEqual({
      event: "chat_record",
      instanceId: ID,
      aiAgentId: "agent",
      userData: "{}",
      dialogues: [5],
    });
    expect(told(2)[1]).toEqual(rest);
    expect(records(body("chat_record", { code: 3001, message: "broken", dialogues: [dialogue] }))).toHaveLength(2);
  });
  it("without dialogues is a record as a whole", () => {
    for (const dialogues of [undefined, [], "text", [{}]]) {
      const record = only(body("chat_record", dialogues === undefined ? {} : { dialogues }));
      expect(record.id).toMatch(new RegExp(`^${ID}/chat_record/[0-9a-f]{16}$`));
      expect(record.data.dialogues).toEqual(dialogues);
    }
  });
  it("names a dialogue without a usable id by its content", () => {
    for (const dialogueId of [null, "", {}, "a/b", "x".repeat(300), "a\0b"]) {
      const [one, ...none] = records(
        body("chat_record", {
          dialogues: [
            { ...dialogue, dialogueId },
            { ...dialogue, dialogueId },
          ],
        }),
      );
      expect([one?.id, none]).toEqual([expect.stringMatching(new RegExp(`^${ID}/dialogue/[0-9a-f]{16}$`)), []]);
    }
  });
  it("may have as many dialogues as fit into a body", () => {
    const dialogues = Array.from({ length: 10_000 }, (_, n) => ({ dialogueId: `d${n}`, text: "Hi" }));
    expect(records(body("chat_record", { dialogues }))).toHaveLength(10_000);
  });
});

describe("another event", () => {
  it("is one record, named by its content without the request that brought it", () => {
    const event = {
      timestamp: "2023-10-01T12:00:00Z",
      code: 1001,
      message: "kicked",
      userData: '{"a":1}',
      extendData: "x",
    };
    const record = only(body("agent_start", { ...event, requestId: "1", data: { requestId: "2", n: 1 } }));
    expect(record).toEqual({
      source: "callbacks",
      id: expect.stringMatching(new RegExp(`^${ID}/agent_start/[0-9a-f]{16}$`)),
      at: new Date("2023-10-01T12:00:00Z"),
      data: { event: "agent_start", instanceId: ID, aiAgentId: "agent", ...event, data: { n: 1 } },
    });
    expect(only(body("agent_start", { data: { n: 1 }, ...event }))).toEqual(record);
    expect(only(body("agent_start", { data: { n: 2 }, ...event })).id).not.toBe(record.id);
  });
  it("is kept when it is unknown, under a short name", () => {
    expect(only(body("a_new_event")).id).toMatch(/\/a_new_event\/[0-9a-f]{16}$/);
    for (const event of ["x".repeat(65), "a/b", "事件"]) {
      const record = only(body(event));
      expect([record.id, record.data.event]).toEqual([expect.stringMatching(/\/unknown\/[0-9a-f]{16}$/), event]);
    }
  });
  it("has its time in the body or in data, in any usual form", () => {
    const at = (more: JsonObject) => only(body("error", more)).at?.getTime();
    expect([
      at({ timestamp: TIME }),
      at({ data: { time: String(TIME) } }),
      at({ data: { startTime: TIME / 1000 } }),
    ]).toEqual([TIME, TIME, TIME]);
    expect([at({}), at({ timestamp: 5 }), at({ timestamp: "soon" }), at({ timestamp: 1e300 })]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("secrets of a callback", () => {
  it("are neither stored nor part of what it is", () => {
    const signed = (signature: string) =>
      body("audio_record", {
        AuthToken: signature,
        data: {
          role: "user",
          audio: `https://u:${signature}@b.oss-cn-beijing.aliyuncs.com/a.wav?k=${signature}`,
          nested: JSON.stringify({ other: `https://b.oss-cn-beijing.aliyuncs.com/b.mp3?unknown=${signature}` }),
          page: `https://example.com/?Expires=1&Signature=${signature}`,
        },
      });
    const record = only(signed("hush"));
    expect(JSON.stringify(record)).not.toContain("hush");
    expect(only(signed("other"))).toEqual(record);
    expect(record.media).toEqual([{ kind: "sentence", place: "https://b.oss-cn-beijing.aliyuncs.com/a.wav" }]);
  });
  it("are no part of an id or an error", () => {
    const secret = "https://x/?Signature=hush";
    expect(codeOf(() => callbackArrivals(body("x", { instanceId: secret })))).toBe("NotACallback");
    const [record] = records(body("chat_record", { dialogues: [{ dialogueId: "?Signature=hush", text: "t" }] }));
    expect(JSON.stringify(record)).not.toContain("hush");
    expect(() => dialogueArrival(secret, {})).toThrow(/^(?!.*hush)/);
  });
});

describe("the audio that a callback names", () => {
  const link = "https://b.oss-cn-beijing.aliyuncs.com/x/a.wav?Expires=1&Signature=s";

  it.each<[string, Json, string | undefined]>([
    ["a link", { audioUrl: link }, "https://b.oss-cn-beijing.aliyuncs.com/x/a.wav"],
    [
      "a link in JSON text",
      { more: JSON.stringify({ deep: [link] }) },
      "https://b.oss-cn-beijing.aliyuncs.com/x/a.wav",
    ],
    ["a bucket and an object", { bucket: "b-1", object: "x/a.MP3" }, "oss://b-1/x/a.MP3"],
    ["other names for them", { file: { OSS_BucketName: "b-1", "object-key": "/x/a.opus" } }, "oss://b-1/x/a.opus"],
    ["an oss address", ["oss://b-1/x/a.pcm"], "oss://b-1/x/a.pcm"],
    ["bucket and object before a link", { a: link, z: { bucket: "b-1", key: "c.wav" } }, "oss://b-1/c.wav"],
    ["the first link by the names of fields", { b: "https://h/b.wav", a: "https://h/a.wav" }, "https://h/a.wav"],
    ["http of this machine", { url: "http://127.0.0.1:8080/a.wav?x=1" }, "http://127.0.0.1:8080/a.wav"],
    ["http of others", { url: "http://example.com/a.wav" }, undefined],
    ["a picture", { url: "https://example.com/a.png", bucket: "b-1", object: "a.png" }, undefined],
    ["no bucket", { bucket: "../x", object: "a.wav" }, undefined],
    ["control characters", { bucket: "b-1", object: "a\u001b.wav" }, undefined],
    ["a link too deep", [[[[[[[[link]]]]]]]], undefined],
  ])("%s", (_, data, place) => {
    expect(mediaOf(data)).toEqual(place === undefined ? undefined : [{ kind: "sentence", place }]);
    expect(mediaOf(data, "full_audio_record")?.[0]?.kind).toBe(place && "call-audio");
    expect(mediaOf(data, "client_defined_data")).toBeUndefined();
  });
  it("is reached by the links of the body, in memory", () => {
    const value = body("audio_record", {
      data: { url: link, bucket: "b", object: "x/a.wav", free: "https://h/b.wav" },
    });
    const both = signedLinks(value);
    // A bucket has at least three letters.
    expect([...both.keys()]).toEqual(["https://b.oss-cn-beijing.aliyuncs.com/x/a.wav"]);
    const named = link.replace("//b.", "//bucket-1.");
    const links = signedLinks(body("audio_record", { data: { url: named, bucket: "bucket-1", object: "x/a.wav" } }));
    const place = only(body("audio_record", { data: { url: named, bucket: "bucket-1", object: "x/a.wav" } })).media?.[0]
      ?.place;
    expect(links.get(place ?? "")?.href).toBe(named);
    expect(links.get("https://bucket-1.oss-cn-beijing.aliyuncs.com/x/a.wav")?.href).toBe(named);
  });
});

describe("a dialogue of the list", () => {
  it("is a record of its session, without the queries of its attachments", () => {
    const wire = {
      DialogueId: "d1",
      Text: "Hi",
      Time: TIME,
      Source: "chat",
      Extend: '{"a":1}',
      AttachedFileList: [{ Name: "a.png", Url: "https://h/a.png?x=hush" }, 5],
    };
    expect(dialogueArrival("s", wire)).toEqual({
      source: "dialogues",
      conversation: "s",
      record: {
        source: "dialogues",
        id: "s/d1",
        at: new Date(TIME),
        data: {
          ...wire,
          SessionId: "s",
          Extend: { a: 1 },
          AttachedFileList: [{ Name: "a.png", Url: "https://h/a.png" }, 5],
        },
      },
    });
    expect([isOfCall({ Source: "Call" }), isOfCall(wire), isOfCall({})]).toEqual([true, false, false]);
  });
  it("is refused when it is none", () => {
    expect(codeOf(() => dialogueArrival("s", []))).toBe("NotADialogue");
    for (const session of ["", "s".repeat(600), "a\0"])
      expect(codeOf(() => dialogueArrival(session, {}))).toBe("NotADialogue");
  });
});

describe("any body", () => {
  it("is refused without an instance and an event", () => {
    for (const value of [
      null,
      [],
      "x",
      {},
      body(""),
      body("x", { instanceId: {} }),
      body("x", { instanceId: "i".repeat(600) }),
    ])
      expect(codeOf(() => callbackArrivals(value))).toBe("NotACallback");
  });
  it("gives records that follow from their data alone", () => {
    const deep = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue() as fc.Arbitrary<Json>,
        fc.constantFrom(
          "https://h.example/a.wav?Signature=s",
          '{"bucket":"abc","key":"a.wav"}',
          "oss://abc/a.wav",
          TIME,
        ),
        fc.dictionary(
          fc.constantFrom("bucket", "key", "time", "dialogues", "dialogueId", "text", "__proto__"),
          tie("value"),
          { maxKeys: 4 },
        ),
        fc.array(tie("value"), { maxLength: 3 }),
      ),
    })).value;
    const events = fc.constantFrom("chat_record", "audio_record", "full_audio_record", "x");
    fc.assert(
      fc.property(events, deep, deep, (event, data, dialogues) => {
        const value = body(event, { data, dialogues });
        for (const { conversation, agentId, record } of callbackArrivals(value).arrivals) {
          // As the archive gives it back: by the names of its fields.
          const stored = JSON.parse(canonicalJson(record.data)) as JsonObject;
          const media = callbackMedia(stored);
          expect(record.media).toEqual(media && [media]);
          expect(record.at?.getTime()).toBe(callbackTime(stored));
          expect([conversation, agentId]).toEqual([stored.instanceId, stored.aiAgentId]);
          expect(isUsableId(record.id)).toBe(true);
        }
      }),
    );
  });
  it("may be deep and long", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const value = body("audio_record", {
      data: JSON.parse(deep) as Json,
      extendData: deep,
      userData: "https://".repeat(50_000),
    });
    expect(only(value).media).toBeUndefined();
    expect(signedLinks(value).size).toBe(0);
    const wide = body("audio_record", {
      data: Array.from({ length: 100_000 }, (_, n) => ({ bucket: "abc", key: `${n}` })),
    });
    expect(only(wide).media).toBeUndefined();
  });
});
