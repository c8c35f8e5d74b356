import fc from "fast-check";
import type { Json, JsonObject, SourceName, Transcript, Turn } from "../../src/core/transcript.ts";

/** Texts that break careless writers: separators, quotes, formulas, other alphabets, any character of Unicode. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("\n", "\r", '"', ",", "'", "=", "-", "\t", " ", "\0", "\u2028", "\uFEFF", "汉", "🦊", "a"))
    .map((characters) => characters.join("")),
);

/** Texts with halves of characters in them. */
export const brokenText = fc
  .array(fc.integer({ min: 0xd7fe, max: 0xe001 }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);
const extra = fc.dictionary(anyText, fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
const time = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

const length = number.map(Math.abs);
const SOURCES: readonly SourceName[] = ["calls", "chats", "queries", "callbacks", "dialogues"];

const turn = (text: fc.Arbitrary<string> = anyText): fc.Arbitrary<Turn> =>
  fc.record(
    {
      id: text,
      role: fc.oneof(fc.constantFrom("user", "agent"), text),
      kind: text,
      text,
      begin: number,
      at: time,
      interrupted: fc.constant(true),
      reasoning: text,
      toolCalls: fc.array(fc.record({ id: text, name: text, arguments: text }), { minLength: 1, maxLength: 2 }),
      toolCallId: text,
      data: json,
      audio: text,
      extra,
    },
    { requiredKeys: ["id", "role", "kind", "text"] },
  ) as fc.Arbitrary<Turn>;

const sha256 = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });

const record = (text: fc.Arbitrary<string>) =>
  fc.record(
    { source: fc.constantFrom(...SOURCES), id: text, sha256, bytes: fc.nat(), link: text },
    { requiredKeys: ["source", "sha256", "bytes"] },
  );

const media = (text: fc.Arbitrary<string>) =>
  fc.record(
    { kind: text, turn: fc.integer({ min: 1 }), path: text, sha256, bytes: fc.nat(), seconds: length },
    { requiredKeys: ["kind", "path", "sha256", "bytes"] },
  );

export const transcript = (text: fc.Arbitrary<string> = anyText): fc.Arbitrary<Transcript> =>
  fc.record(
    {
      id: text,
      source: fc.constantFrom(...SOURCES),
      agentId: text,
      sessionId: text,
      startedAt: time,
      endedAt: time,
      durationSeconds: length,
      status: text,
      participants: fc.record(
        { agentUserId: text, remoteUserId: text, caller: text, callee: text },
        { requiredKeys: [] },
      ),
      system: text,
      language: text,
      userData: json,
      turns: fc.array(turn(text), { maxLength: 6 }),
      media: fc.array(media(text), { minLength: 1, maxLength: 2 }),
      revision: fc.integer({ min: 2 }),
      provenance: fc.record({ records: fc.array(record(text), { minLength: 1, maxLength: 3 }) }),
      extra,
    },
    { requiredKeys: ["id", "source", "participants", "turns", "provenance"] },
  ) as fc.Arbitrary<Transcript>;
