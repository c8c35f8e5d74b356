import { existsSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const T0 = Date.parse("2025-05-13T03:40:11.244Z");

interface Exchange {
  session?: string;
  id: string;
  /** Seconds after the first. */
  after: number;
  prompt?: string;
  text?: string;
  more?: object;
}

/** An event as EventBridge delivers it. */
const event = ({ session = "s1", id, after, prompt = `ask ${id}`, text = `answer ${id}`, more = {} }: Exchange) => ({
  datacontenttype: "application/json;charset=utf-8",
  aliyunaccountid: "1406635223510007",
  data: {
    output: JSON.stringify({
      biz_info: { agent_infos: [{ code: "telephone", name: "telephone" }], intent_infos: [] },
      output: { commands: [], text },
    }),
    input: JSON.stringify({
      biz_params: { chat_history: [{ role: "user", content: "before" }], user: { user_id: "API_TEST" } },
      prompt,
    }),
    code: "",
    requestId: id,
    sessionId: session,
    message: "",
    ...more,
  },
  subject: "acs.multimodal:cn-hangzhou:123456789098:215672",
  source: "acs.multimodal",
  type: "multimodal:Dialogue:ChatLogPush",
  aliyunpublishtime: new Date(T0 + after * 1000 + 21).toISOString(),
  specversion: "1.0",
  aliyuneventbusname: "default",
  id,
  time: new Date(T0 + after * 1000).toISOString(),
  aliyunregionid: "cn-hangzhou",
});

const lines = (...values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("");

const exported = async (place: Workplace, ...flags: string[]): Promise<Transcript[]> => {
  const ran = await place.runHere(["export", "--offline", "-o", "out.ndjson", ...flags]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return place.rows<Transcript & Record<string, unknown>>("out.ndjson");
};

describe("import", () => {
  test("the vendor's own example becomes a conversation with a tool call", async () => {
    const place = workplace();
    // As in the vendor's documentation of EventBridge chat logs.
    const example = {
      ...event({ id: "a09a51c9233743beae2a2e4ef8cacc3c", after: 0 }),
      data: {
        output: JSON.stringify({
          biz_info: {
            agent_infos: [{ code: "telephone", name: "telephone" }],
            intent_infos: [{ domain: "telephone", intent: "confirm", slots: [] }],
          },
          output: {
            commands: [
              {
                name: "call",
                params: [
                  { name: "phone_number", norm_value: "10086", value: "10086" },
                  { name: "record", norm_value: "False", value: "False" },
                ],
              },
            ],
            text: "OK, starting the call",
          },
        }),
        input: JSON.stringify({
          biz_params: {
            chat_history: [],
            device: { device_id: '{"uuid":"0b0d8eaf"}' },
            resources: [],
            user: { user_id: "API_TEST" },
            user_defined_tokens: { booking: { user_token: "S3CR3T" } },
          },
          prompt: "Confirm",
        }),
        code: "",
        requestId: "a09a51c9233743beae2a2e4ef8cacc3c",
        sessionId: "0b0d8eaf-c429-46a9-a1fa-6def543887f7",
        message: "",
      },
    };
    writeFileSync(place.path("event.json"), JSON.stringify(example, null, 2));
    const ran = await place.run(["import", "event.json"]);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringMatching(/ 1 event = 1 added\n.* 1 conversation; /)]);
    const [chat] = await exported(place);
    expect(chat).toMatchObject({
      id: "0b0d8eaf-c429-46a9-a1fa-6def543887f7",
      source: "chats",
      agentId: "215672",
      sessionId: "0b0d8eaf-c429-46a9-a1fa-6def543887f7",
      startedAt: "2025-05-13T03:40:11.244Z",
      participants: { remoteUserId: "API_TEST" },
      turns: [
        { role: "user", text: "Confirm", begin: 0 },
        {
          role: "agent",
          text: "OK, starting the call",
          toolCalls: [{ name: "call", arguments: '{"phone_number":"10086","record":"False"}' }],
          extra: { biz_info: { intent_infos: [{ intent: "confirm" }] } },
        },
      ],
      provenance: { records: [{ source: "chats", id: "a09a51c9233743beae2a2e4ef8cacc3c" }] },
    });
    expect(JSON.stringify(chat)).not.toContain("S3CR3T");
    expect((await place.runHere(["show", "0b0d8eaf", "--raw"])).stdout).not.toContain("S3CR3T");
  });

  test("events are found in what each kind of sink makes of them, gzipped too; the same event is added once", async () => {
    const place = workplace();
    const one = event({ id: "1", after: 0 });
    const asText = JSON.stringify(one);
    const dumps: Record<string, string | Buffer> = {
      "plain.ndjson": lines(one),
      "array.json": JSON.stringify([one], null, 4),
      "array-on-one-line.json": JSON.stringify([one]),
      "data-as-text.ndjson": lines({ ...one, data: JSON.stringify(one.data) }),
      "log-service.ndjson": lines({ __time__: "1747107611", __source__: "", content: asText }),
      "log-service-columns.ndjson": lines({ __topic__: "", ...one, data: JSON.stringify(one.data) }),
      "message-queue.ndjson": lines({ msgId: "7F00", body: asText }),
      "message-queue-base64.ndjson": lines({ msgId: "7F00", body: Buffer.from(asText).toString("base64") }),
      "database.json": JSON.stringify({ rows: [{ id: 1, payload: asText }] }),
      "zipped.ndjson.gz": gzipSync(lines(one)),
      "other-envelope.ndjson": lines({ ...one, aliyunpublishtime: "2026-01-01T00:00:00Z", aliyunaccountid: "2" }),
    };
    for (const [name, dump] of Object.entries(dumps)) writeFileSync(place.path(name), dump);
    const ran = await place.run(["import", ...Object.keys(dumps)]);
    expect([ran.code, ran.stderr]).toEqual([
      0,
      expect.stringMatching(/ 11 events = 1 added \+ 10 already in the archive\n.* 1 conversation; /),
    ]);
    const piped = await place.run(["import"], { input: lines(one, event({ id: "2", after: 1 })) });
    expect([piped.code, piped.stderr]).toEqual([0, expect.stringContaining("2 events = 1 added + 1 already")]);
    expect((await exported(place)).map(({ turns }) => turns.length)).toEqual([4]);
  });

  test("what is no chat log is named with its line and kept aside, and the rest is imported", async () => {
    const place = workplace();
    const good = [event({ id: "1", after: 0 }), event({ id: "2", after: 1 })];
    const { id: _, ...withoutId } = event({ id: "3", after: 2 });
    writeFileSync(
      place.path("dump.ndjson"),
      [
        JSON.stringify(good[0]),
        '{"id":"cut","data":',
        "",
        JSON.stringify({ hello: "world" }),
        JSON.stringify(withoutId),
        JSON.stringify({ ...event({ id: "4", after: 3 }), data: { requestId: "4" } }),
        JSON.stringify({ ...event({ id: "5", after: 4 }), type: "oss:ObjectCreated:PutObject" }),
        JSON.stringify({ ...event({ id: "6", after: 5 }), data: "no chat log" }),
        JSON.stringify(good[1]),
        `[${JSON.stringify(event({ id: "7", after: 6 }))},17]`,
      ].join("\n"),
    );
    const ran = await place.run(["import", "dump.ndjson", "--error-file", "broken.ndjson"]);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain("3 events = 3 added\n");
    expect(ran.stderr).toContain("1 event of other types, 6 values without a usable event");
    expect(place.rows("broken.ndjson").map(({ line, code }) => [line, code])).toEqual([
      [2, "NotJson"],
      [4, "NoEvent"],
      [5, "NoEvent"],
      [6, "NotAChatLog"],
      [8, "NotAChatLog"],
      [10, "NoEvent"],
    ]);
    expect(place.rows("broken.ndjson")[0]).toMatchObject({ file: "dump.ndjson", text: '{"id":"cut","data":' });
  });

  test("a file that is not there, or a folder, is exit 2, and no archive is made", async () => {
    const place = workplace();
    for (const [args, words] of [
      [["no-such-file.ndjson"], "Cannot read no-such-file.ndjson"],
      [["."], ". is a folder"],
    ] as const) {
      const ran = await place.runHere(["import", ...args]);
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(words)]);
      expect(existsSync(place.path("callarchive.db"))).toBe(false);
    }
  });

  test("failures, interruptions of a session and exchanges without text are kept", async () => {
    const place = workplace();
    const failed = event({ id: "2", after: 5, more: { code: "InternalError", message: "try later", output: "" } });
    await place.runHere(["import"], { input: lines(failed, event({ id: "1", after: 0 })) });
    const [chat] = await exported(place);
    expect(chat?.turns.map(({ role, text, begin }) => [role, text, begin])).toEqual([
      ["user", "ask 1", 0],
      ["agent", "answer 1", 0],
      ["user", "ask 2", 5],
      ["agent", "", 5],
    ]);
    expect(chat?.turns[3]?.extra).toMatchObject({ code: "InternalError", message: "try later" });
    expect(chat?.durationSeconds).toBe(5);
  });

  test("10,000 events in a shuffled dump with duplicates and broken lines: each once, sessions whole", async () => {
    const place = workplace();
    const events = Array.from({ length: 10_000 }, (_, at) =>
      event({ session: `s${at % 500}`, id: `e${at}`, after: at }),
    );
    // A fixed shuffle.
    const shuffled = events
      .map((each, at) => [(at * 7919) % 10_007, JSON.stringify(each)] as const)
      .sort(([one], [other]) => one - other)
      .map(([, text]) => text);
    const dump = shuffled.flatMap((text, at) => [
      text,
      ...(at % 10 === 0 ? [text] : []),
      ...(at % 1000 === 7 ? ["{"] : []),
    ]);
    writeFileSync(place.path("dump.ndjson"), dump.join("\n"));
    const ran = await place.run(["import", "dump.ndjson", "-q"]);
    expect(ran.code).toBe(3);
    const chats = await exported(place);
    expect(chats).toHaveLength(500);
    for (const { turns, startedAt = "" } of chats) {
      expect(turns).toHaveLength(40);
      expect(turns.map(({ at }) => at)).toEqual(turns.map(({ at }) => at).toSorted());
      expect(turns[0]?.at).toBe(startedAt);
    }
    const again = await place.runHere(["import", "dump.ndjson"]);
    expect(again.stderr).toContain("11,000 events = 0 added + 11,000 already in the archive");
    expect((await place.runHere(["verify"])).code).toBe(0);
  });

  test("a session is open until --settle after its last event, and then exported", async () => {
    const place = workplace();
    const after = (Date.now() - T0) / 1000 - 60;
    await place.runHere(["import"], { input: lines(event({ id: "1", after })) });
    const young = await place.run(["export", "--offline", "-o", "out.ndjson"]);
    expect([young.code, young.stderr]).toEqual([0, expect.stringContaining("0 exported + 0 skipped + 1 open")]);
    expect((await place.runHere(["list", "--state", "open"])).stdout).toContain("chats:s1");
    expect(await exported(place, "--settle", "30s")).toHaveLength(1);
  });

  test("a late event makes one revision of its session in the next part, and nothing else", async () => {
    const place = workplace();
    await place.runHere(["import"], {
      input: lines(event({ id: "1", after: 0 }), event({ id: "2", after: 1, session: "s2" })),
    });
    const next = () => place.runHere(["export", "--offline", "--new", "-o", "parts/"]);
    expect((await next()).code).toBe(0);
    await place.runHere(["import"], { input: lines(event({ id: "0", after: -1 })) });
    expect((await next()).code).toBe(0);
    expect((await next()).code).toBe(0);
    const part = place.rows<Transcript & Record<string, unknown>>("parts", "transcripts-00002.ndjson");
    expect(part.map(({ id, revision, turns }) => [id, revision, turns.length])).toEqual([["s1", 2, 4]]);
  });
});
