import "../helpers/seed.ts";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidDocument } from "../../src/core/errors.ts";
import type { Arrival } from "../../src/core/records.ts";
import {
  INTERRUPTED,
  isObject,
  type Json,
  type JsonObject,
  type Transcript,
  type Turn,
} from "../../src/core/transcript.ts";
import { transcriptOf } from "../../src/parse/index.ts";
import { type PresetOptions, presets } from "../../src/presets/index.ts";
import { callbackArrivals } from "../../src/sources/callbacks.ts";
import { dialogueArrival } from "../../src/sources/dialogues.ts";
import { rowsOf } from "../contracts/preset.ts";
import { storedCall } from "../helpers/recorded-calls.ts";
import { checkLine } from "../helpers/schema.ts";

interface Fixture {
  instanceId: string;
  sessionId: string;
  log?: JsonObject;
  callbacks: Json[];
  dialogues: Json[];
}

const fixture = (name: string): Fixture =>
  JSON.parse(readFileSync(new URL(`../fixtures/callbacks/${name}.json`, import.meta.url), "utf8"));

const CALL = "call-1";
const START = Date.parse("2025-11-12T01:00:00Z");

const ofCallbacks = (bodies: readonly Json[]): Arrival[] => bodies.flatMap((body) => callbackArrivals(body).arrivals);
/** A pull puts spoken dialogues into their call. */
const ofDialogues = (dialogues: readonly Json[], session = "session-1", conversation = CALL): Arrival[] =>
  dialogues.map((each) => ({ ...dialogueArrival(session, each), source: "calls", conversation }));

const chatRecord = (...dialogues: JsonObject[]): Json => ({ instanceId: CALL, event: "chat_record", dialogues });
const said = (
  dialogueId: string,
  producer: string,
  text: string,
  second: number,
  more: JsonObject = {},
): JsonObject => ({
  dialogueId,
  producer,
  text,
  time: START + second * 1000,
  source: "call",
  type: "normal",
  ...more,
});
const listed = (dialogue: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(dialogue).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]),
  );
const spoken = (role: string, text: string, second: number, file: string, more: JsonObject = {}): Json => ({
  instanceId: CALL,
  event: "audio_record",
  data: { role, text, time: START + second * 1000, bucket: "audio", object: file, ...more },
});
const logOf = (...turns: [role: string, text: string, begin: number][]): JsonObject => ({
  instanceid: CALL,
  startTime: START / 1000,
  dialog: turns.map(([role, text, begin], index) => ({ id: index + 1, begin, role, type: "normal", text })),
});

const read = (log: Json | undefined, arrivals: readonly Arrival[]): Transcript =>
  transcriptOf(storedCall(CALL, log, arrivals));
const shown = ({ turns }: Transcript) =>
  turns.map(({ role, text, recordSource }) => [role, text, recordSource ?? "log"]);

describe("golden transcripts", () => {
  it.each(["order-zh", "dentist-en"])("%s", async (name) => {
    const { instanceId, sessionId, log, callbacks, dialogues } = fixture(name);
    const arrivals = [...ofCallbacks(callbacks), ...ofDialogues(dialogues, sessionId, instanceId)];
    const transcript = transcriptOf(storedCall(instanceId, log, arrivals));
    checkLine(transcript);
    expect(JSON.stringify(transcript)).not.toMatch(/secret|Signature/i);
    const file = new URL(`../golden/callbacks/${name}.json`, import.meta.url).pathname;
    await expect(`${JSON.stringify(transcript, undefined, 2)}\n`).toMatchFileSnapshot(file);
  });
});

describe("a call seen by its log, callbacks and dialogues", () => {
  const log = logOf(
    ["agent", "Hello, how can I help?", 1],
    ["user", "Where is my order?", 5],
    ["agent", "On its way.", 9],
  );
  const dialogues = [
    said("d1", "agent", "Hello - how can I help?", 1, { type: "greeting" }),
    said("d2", "user", "where is my order", 5.3),
    said("d3", "agent", "On its way!", 8, { reasoningText: "It left today." }),
  ];

  it("has each turn once, whatever of the three is there", () => {
    const callbacks = ofCallbacks([chatRecord(...dialogues)]);
    const list = ofDialogues(dialogues.map(listed));
    const ways = [[], callbacks, list, [...callbacks, ...list]];
    for (const arrivals of ways) {
      expect(shown(read(log, arrivals))).toEqual(log.dialog && shown(read(log, [])));
      if (arrivals.length > 0)
        expect(shown(read(undefined, arrivals)).map(([role, text]) => [role, text])).toEqual(
          dialogues.map(({ producer, text }) => [producer, text]),
        );
    }
    expect(read(log, callbacks).turns[2]).toMatchObject({ id: "3", text: "On its way.", reasoning: "It left today." });
  });
  it("names each record, and each turn that is not in the log", () => {
    const bye = said("d4", "user", "Bye!", 12);
    const transcript = read(log, [...ofCallbacks([chatRecord(bye)]), ...ofDialogues([listed(dialogues[1] ?? {})])]);
    expect(shown(transcript).at(-1)).toEqual(["user", "Bye!", "callbacks"]);
    expect(transcript.turns.at(-1)).toMatchObject({ id: "d4", begin: 12, at: "2025-11-12T01:00:12.000Z" });
    expect(transcript.provenance.records.map(({ source, id }) => [source, id])).toEqual([
      ["calls", undefined],
      ["dialogues", "session-1/d2"],
      ["callbacks", "call-1/dialogue/d4"],
    ]);
  });
  it("takes the fields of the list of dialogues before those of a callback", () => {
    const one = said("d3", "agent", "On its way!", 8, { reasoningText: "listed", nodeId: "n" });
    const other = said("d3", "agent", "On its way!", 8, { reasoningText: "called back", nodeId: "m", mood: "glad" });
    const { turns } = read(log, [...ofCallbacks([chatRecord(other)]), ...ofDialogues([listed(one)])]);
    expect(turns[2]).toMatchObject({ reasoning: "listed", extra: { dialogueId: "d3", nodeId: "n", mood: "glad" } });
  });
  it("keeps the fields of the log", () => {
    const dialog = [{ id: 1, begin: 1, role: "user", type: "normal", text: "Hi", nodeId: "of the log" }];
    const { turns } = read({ ...log, dialog }, ofCallbacks([chatRecord(said("x", "user", "Hi", 1, { nodeId: "n" }))]));
    expect(turns).toEqual([expect.objectContaining({ id: "1", extra: { dialogueId: "x", nodeId: "of the log" } })]);
  });
  it("counts a sentence as part of the turn that has it, and inserts what no turn has", () => {
    const sentences = [
      spoken("agent", "Hello,", 1, "1.wav"),
      spoken("agent", "How can I help?", 2, "2.wav"),
      spoken("user", "Something else.", 6, "3.wav"),
    ];
    const { turns } = read(log, ofCallbacks(sentences));
    expect(turns.map(({ text, audio, extra }) => [text, audio, extra?.furtherAudio])).toEqual([
      ["Hello, how can I help?", "oss://audio/1.wav", ["oss://audio/2.wav"]],
      ["Where is my order?", undefined, undefined],
      ["Something else.", "oss://audio/3.wav", undefined],
      ["On its way.", undefined, undefined],
    ]);
  });
  it("knows a text that the caller interrupted, as a whole or as far as it was heard", () => {
    const cut = logOf(["agent", `Hello, how can I ${INTERRUPTED}help?`, 1]);
    for (const text of ["Hello, how can I help?", "Hello, how can I", `Hello, how can I ${INTERRUPTED}`])
      expect(read(cut, ofCallbacks([chatRecord(said("d1", "agent", text, 1))])).turns).toHaveLength(1);
  });
  it("counts a dialogue of which the log has the most as known, and inserts one that says more", () => {
    const short = logOf(["user", "I want to return the red shoes", 5]);
    const longer = (text: string) => shown(read(short, ofCallbacks([chatRecord(said("d", "user", text, 5))])));
    expect(longer("Hello. I want to return the red shoes.")).toHaveLength(1);
    expect(
      longer("I want to return the red shoes and also to ask when the new catalogue with the hats comes."),
    ).toHaveLength(2);
  });
  it("does not take one short word for a part of another dialogue", () => {
    const both = [said("a", "user", "Yes, thanks", 3), said("b", "user", "Yes", 6)];
    expect(read(logOf(["user", "Yes, thanks.", 3]), ofCallbacks([chatRecord(...both)])).turns).toHaveLength(2);
    expect(read(undefined, ofCallbacks([chatRecord(...both)])).turns).toHaveLength(2);
  });
  it("gives audio without text to the turn of its dialogue or round, else to the call", () => {
    const arrivals = ofCallbacks([
      chatRecord(said("d1", "agent", "Hello", 1, { roundId: "r1" }), said("d2", "user", "Hi", 2, { roundId: "r1" })),
      spoken("agent", "", 1, "1.wav", { roundId: "r1" }),
      spoken("user", "", 2, "2.wav", { dialogueId: "d2" }),
      spoken("user", "", 3, "3.wav"),
    ]);
    const { turns, extra } = read(undefined, arrivals);
    expect(turns.map(({ audio }) => audio)).toEqual(["oss://audio/1.wav", "oss://audio/2.wav"]);
    expect(extra).toEqual({ furtherAudio: ["oss://audio/3.wav"] });
  });
  it("places a turn by time among turns that are not in order of time", () => {
    const late = logOf(["user", "one", 10], ["agent", "two", 40], ["user", "three", 30], ["agent", "four", 60]);
    const { turns } = read(
      late,
      ofCallbacks([chatRecord(said("x", "user", "between", 35), said("y", "user", "first", 2))]),
    );
    expect(turns.map(({ text }) => text)).toEqual(["first", "one", "two", "three", "between", "four"]);
  });
  it("appends what it cannot place", () => {
    const log = { instanceid: CALL, dialog: [{ id: 1, begin: 1, role: "user", text: "one" }] };
    const { time: _, ...timeless } = said("x", "user", "sometime", 0);
    const arrivals = ofCallbacks([chatRecord(timeless)]);
    expect(read(log, arrivals).turns.map(({ text }) => text)).toEqual(["one", "sometime"]);
  });
  it("gives ids of turns once", () => {
    const log = {
      startTime: START / 1000,
      dialog: ["d", "d-2"].map((id, begin) => ({ id, begin, role: "user", text: id })),
    };
    const { turns } = read(log, ofCallbacks([chatRecord(said("d", "user", "more", 5))]));
    expect(turns.map(({ id }) => id)).toEqual(["d", "d-2", "d-3"]);
  });
  it("says who called whom, and lists the other events without the steps of each answer", () => {
    const event = (name: string, more: JsonObject): Json => ({ instanceId: CALL, event: name, ...more });
    const { participants, extra, userData } = read(
      log,
      ofCallbacks([
        event("inbound_call", { extendData: '{"callerNumber":"1","calleeNumber":"2"}', userData: '{"vip":true}' }),
        event("llm_data_received", { timestamp: "2025-11-12T01:00:01Z" }),
        event("strange", { timestamp: "2025-11-12T01:00:02Z", data: { big: "x".repeat(5000) } }),
      ]),
    );
    expect([participants, userData]).toEqual([{ caller: "1", callee: "2" }, { vip: true }]);
    expect(extra?.callbackEvents).toEqual([
      { event: "strange", at: "2025-11-12T01:00:02.000Z" },
      { event: "inbound_call", extendData: '{"callerNumber":"1","calleeNumber":"2"}' },
    ]);
    const many = Array.from({ length: 130 }, (_, n) => event("instruction", { data: n }));
    expect(read(log, ofCallbacks(many)).extra).toMatchObject({ callbackEventsLeftOut: 30 });
  });
  it("refuses records that are not what their facts say", () => {
    const stored = storedCall(CALL, log, ofCallbacks([chatRecord(...dialogues)]));
    expect(() => transcriptOf({ ...stored, records: [] })).toThrow(InvalidDocument);
    expect(() => transcriptOf({ ...stored, further: Buffer.from("[1]") })).toThrow(InvalidDocument);
  });
});

/** What was said in a call, and who told of it. */
interface Said {
  role: string;
  text: string;
  second: number;
  inLog: boolean;
  inCallback: boolean;
  inList: boolean;
}

const conversation = (text: fc.Arbitrary<string> | undefined): fc.Arbitrary<Said[]> =>
  fc
    .array(
      fc.record({
        role: fc.constantFrom("user", "agent"),
        text: text ?? fc.constant(""),
        second: fc.integer({ min: 0, max: 300 }),
        inLog: fc.boolean(),
        inCallback: fc.boolean(),
        inList: fc.boolean(),
      }),
      { maxLength: 25 },
    )
    .map((all) => all.map((one, n) => (text ? one : { ...one, text: `Word${n}, end${n}.` })));

const partsOf = (all: readonly Said[]) => {
  const dialogues = all.map(({ role, text, second }, n) => said(`d${n}`, role, text, second));
  const kept = (key: "inCallback" | "inList"): JsonObject[] => dialogues.filter((_, n) => all[n]?.[key]);
  const logged = all
    .filter(({ inLog }) => inLog)
    .map(({ role, text, second }): [string, string, number] => [role, text, second]);
  return {
    log: logOf(...logged),
    logged,
    callbacks: kept("inCallback").map((each) => chatRecord(each)),
    list: kept("inList").map(listed),
  };
};
const named = ({ turns }: Transcript) => turns.map(({ role, text }) => `${role} ${text}`);
const inLogOf = ({ turns }: Transcript): Turn[] => turns.filter(({ recordSource }) => recordSource === undefined);

describe("any call", () => {
  const shuffled = <Item>(items: readonly Item[], keys: readonly number[]): Item[] =>
    items
      .map((item, n) => [keys[n % keys.length] ?? 0, item] as const)
      .toSorted(([one], [other]) => one - other)
      .map(([, item]) => item);

  it("is the same in whatever order its records came", () => {
    const keys = fc.array(fc.nat(1000), { minLength: 60, maxLength: 60 });
    const words = fc.constantFrom("好的", "谢谢。", "yes", "Yes, thank you", "");
    fc.assert(
      fc.property(conversation(words), keys, fc.boolean(), (all, order, withLog) => {
        const { log, callbacks, list } = partsOf(all);
        const sentences = all.flatMap(({ role, text, second, inLog }, n) =>
          inLog ? [spoken(role, text.slice(0, 3), second, `${n}.wav`)] : [],
        );
        const arrivals = [...ofCallbacks([...callbacks, ...sentences]), ...ofDialogues(list)];
        fc.pre(withLog || arrivals.length > 0);
        const usual = read(withLog ? log : undefined, arrivals);
        expect(read(withLog ? log : undefined, shuffled([...arrivals, ...arrivals], order))).toEqual(usual);
        const ids = usual.turns.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });
  it("has everything that was said just once, and the turns of the log as they are", () => {
    fc.assert(
      fc.property(conversation(undefined), (all) => {
        const { log, logged, callbacks, list } = partsOf(all);
        const transcript = read(log, [...ofCallbacks(callbacks), ...ofDialogues(list)]);
        const told = all.filter(({ inLog, inCallback, inList }) => inLog || inCallback || inList);
        expect(named(transcript).toSorted()).toEqual(told.map(({ role, text }) => `${role} ${text}`).toSorted());
        expect(inLogOf(transcript).map(({ role, text, begin }) => [role, text, begin])).toEqual(logged);
        // Each dialogue is the turn that was inserted for it, or a field of the log's.
        const dialogueIds = transcript.turns.flatMap(({ id, extra, recordSource }) =>
          recordSource ? id : (extra?.dialogueId ?? []),
        );
        const expected = all.flatMap(({ inCallback, inList }, n) => (inCallback || inList ? [`d${n}`] : []));
        expect(dialogueIds.map(String).toSorted()).toEqual(expected.toSorted());
      }),
    );
  });
  it("has equal texts as often as the source that has them most often", () => {
    fc.assert(
      fc.property(conversation(fc.constantFrom("好的", "谢谢。", "yes")), (all) => {
        const { log, callbacks, list } = partsOf(all);
        const transcript = read(log, [...ofCallbacks(callbacks), ...ofDialogues(list)]);
        const count = (key: string, of: (each: Said) => boolean): number =>
          all.filter((each) => of(each) && `${each.role} ${each.text}` === key).length;
        for (const key of new Set(all.map(({ role, text }) => `${role} ${text}`))) {
          const expected = Math.max(
            count(key, ({ inLog }) => inLog),
            count(key, ({ inCallback, inList }) => inCallback || inList),
          );
          expect([key, named(transcript).filter((each) => each === key).length]).toEqual([key, expected]);
        }
      }),
    );
  });
});

describe("data sets", () => {
  it("learn each turn of a call once, also when three sources tell of it", () => {
    const { instanceId, sessionId, log, callbacks, dialogues } = fixture("order-zh");
    const isLate = (each: Json): boolean =>
      isObject(each) && ["d-6", "d-7"].includes(String(each.dialogueId ?? each.DialogueId));
    // Without what only the other sources tell.
    const told = callbacks.map((body) =>
      isObject(body) && Array.isArray(body.dialogues)
        ? { ...body, dialogues: body.dialogues.filter((each) => !isLate(each)) }
        : body,
    );
    const arrivals = [
      ...ofCallbacks(told),
      ...ofDialogues(
        dialogues.filter((each) => !isLate(each)),
        sessionId,
        instanceId,
      ),
    ];
    const alone = transcriptOf(storedCall(instanceId, log, []));
    const joined = transcriptOf(storedCall(instanceId, log, arrivals));
    const linesOf = (transcript: Transcript, name: keyof typeof presets, options: PresetOptions = {}) =>
      rowsOf(presets[name], [transcript], {}, options).lines;
    expect(joined.turns.some(({ audio }) => audio)).toBe(true);
    for (const name of Object.keys(presets) as (keyof typeof presets)[]) {
      expect(linesOf(alone, name).length).toBeGreaterThan(0);
      expect(linesOf(joined, name)).toEqual(linesOf(alone, name));
    }
    // What only the log lacks is learned once, too.
    const whole = transcriptOf(
      storedCall(instanceId, log, [...ofCallbacks(callbacks), ...ofDialogues(dialogues, sessionId, instanceId)]),
    );
    expect(linesOf(whole, "messages").join("").match(/再见/g)).toHaveLength(2);
  });
});

describe("hostile records", () => {
  // Their number is such that the square of it would take minutes.
  const MANY = 20_000;
  const many = <Item>(make: (n: number) => Item): Item[] => Array.from({ length: MANY }, (_, n) => make(n));
  const cases: [name: string, log: JsonObject, dialogue: (n: number) => JsonObject][] = [
    [
      "equal texts at one time",
      logOf(...many((): [string, string, number] => ["user", "yes", 1])),
      (n) => said(`d${n}`, "user", "yes", 1),
    ],
    [
      "near texts that are no parts",
      logOf(...many((n): [string, string, number] => ["user", `text ${n} of`, n / 1e4])),
      (n) => said(`d${n}`, "user", `other ${n}`, n / 1e4),
    ],
    [
      "another role between all",
      logOf(...many((n): [string, string, number] => ["agent", `text ${n}`, 1])),
      (n) => said(`d${n}`, "user", `text ${n}`, 1),
    ],
    [
      "one id",
      logOf(...many((n): [string, string, number] => ["agent", `text ${n}`, 1])),
      (n) => ({ ...said("same", "user", `text ${n}`, 1), [`key${n}`]: n }),
    ],
  ];
  it.each(cases)("take no longer than others: %s", (_, log, dialogue) => {
    const { arrivals } = callbackArrivals(chatRecord(...many(dialogue)));
    // Each of them is stored, even with an id that the archive would not have twice.
    const stored = storedCall(
      CALL,
      log,
      arrivals.map((each, n) => ({ ...each, record: { ...each.record, id: String(n) } })),
    );
    expect(transcriptOf(stored).turns.length).toBeGreaterThanOrEqual(MANY);
  });
  it("take no longer when their texts are long and nearly the same", () => {
    const long = `${"a".repeat(200_000)}b`;
    const log = logOf(["user", long, 1], ["user", `${long}c`, 2]);
    const all = Array.from({ length: 200 }, (_, n) => said(`d${n}`, "user", `b${"a".repeat(20_000 + n)}`, 1));
    expect(read(log, ofCallbacks([chatRecord(...all)])).turns).toHaveLength(202);
  });
  it("may hold anything in any field", () => {
    const keys = [
      "dialogueId",
      "producer",
      "text",
      "time",
      "roundId",
      "reasoningText",
      "attachedFileList",
      "type",
      "__proto__",
    ];
    const dialogue = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue() as fc.Arbitrary<Json>);
    const names = fc.constantFrom("chat_record", "audio_record", "agent_stop", "full_audio_record", "x");
    fc.assert(
      fc.property(
        names,
        fc.array(dialogue, { maxLength: 5 }),
        fc.jsonValue() as fc.Arbitrary<Json>,
        (event, dialogues, data) => {
          const body = { instanceId: CALL, event, dialogues, data, timestamp: data, extendData: data, userData: data };
          const arrivals = [...ofCallbacks([body]), ...ofDialogues(dialogues.map(listed))];
          const log = logOf(["user", "text", 1]);
          expect(read(log, arrivals)).toEqual(read(log, arrivals.toReversed()));
          expect(read(undefined, arrivals).id).toBe(CALL);
        },
      ),
    );
  });
});
