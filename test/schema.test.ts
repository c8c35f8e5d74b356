import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json, JsonObject, Transcript, Turn } from "../src/core/transcript.ts";
import { csvColumns, writers } from "../src/writers/index.ts";
import {
  checkLine,
  compiled,
  flawsOf,
  SCHEMAS,
  type SchemaName,
  schemaFor,
  schemaOf,
  strictSchema,
} from "./helpers/schema.ts";
import { breaksBetween, promisesOf, propertiesIn } from "./helpers/schema-changes.ts";
import { parseLines, workplace } from "./helpers/workplace.ts";
import { brokenText, transcript } from "./writers/arbitrary.ts";
import { mainText, written } from "./writers/written.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** `parseLines` checks each line by its schema; this also checks that each line has one. */
const checked = (text: string, name: SchemaName): JsonObject[] => {
  const lines = parseLines<JsonObject>(text);
  expect(lines.map(schemaFor)).toEqual(lines.map(() => name));
  return lines;
};

type Complete<T> = T extends Json
  ? T
  : T extends readonly (infer Item)[]
    ? Complete<Item>[]
    : T extends object
      ? { [Key in keyof T]-?: Complete<T[Key]> }
      : T;

const SHA256 = "60c770aa0c0a1a9d0ced1177cf1bb7aa71cf91a1dee28aa594665c78c92251ce";
const AT = "2025-08-14T02:21:12.245Z";

/** Have every property of their types: the compiler says so when one is new. */
const turn = {
  id: "1",
  role: "agent",
  kind: "normal",
  text: "Hello",
  begin: -0.5,
  at: AT,
  interrupted: true,
  reasoning: "Hm.",
  toolCalls: [{ id: "c", name: "find", arguments: "{" }],
  toolCallId: "c",
  data: [{ score: 1 }],
  audio: "https://example.com/1.wav",
  recordSource: "callbacks",
  extra: { emotion: { joy: 1 } },
} satisfies Complete<Turn>;

const complete = {
  id: "call-1",
  source: "calls",
  agentId: "a",
  sessionId: "s",
  startedAt: AT,
  endedAt: AT,
  durationSeconds: 14.5,
  status: "Finished",
  participants: { agentUserId: "a", remoteUserId: "b", caller: "1", callee: "2" },
  system: "Be kind.",
  language: "zh",
  userData: { order: [7, null] },
  turns: [turn],
  media: [{ kind: "recording", turn: 1, path: "media/1.wav", sha256: SHA256, bytes: 3, seconds: 0.5 }],
  revision: 2,
  provenance: { records: [{ source: "calls", id: "r", sha256: SHA256, bytes: 3, link: "https://example.com/1" }] },
  extra: { version: 2 },
} satisfies Complete<Transcript>;

const lineOf = (whole: Transcript, rows: "call" | "turn"): JsonObject =>
  JSON.parse(mainText(written(writers.ndjson.create({ rows }), [whole]))) as JsonObject;

const linesOf: Record<SchemaName, JsonObject> = {
  transcript: lineOf(complete, "call"),
  turnRow: lineOf(complete, "turn"),
};
const NAMES = Object.keys(SCHEMAS) as SchemaName[];

describe("transcripts follow their schema strictly", () => {
  it.each<[string, SchemaName]>([
    ["test/golden/transcripts.ndjson", "transcript"],
    ["test/golden/cli/transcripts.ndjson", "transcript"],
    ["test/golden/turns.ndjson", "turnRow"],
  ])("%s", (path, name) => {
    expect(checked(read(path), name).length).toBeGreaterThan(0);
  });

  it("the README's example", () => {
    const lines = [...read("README.md").matchAll(/^\{"id":.*\}$/gm)].map(([line]) => line);
    expect(checked(lines.join("\n"), "transcript")).toHaveLength(1);
  });

  it("any transcript, through the NDJSON writer", () => {
    const anyTranscript = fc.oneof({ weight: 3, arbitrary: transcript() }, transcript(brokenText));
    fc.assert(
      fc.property(fc.array(anyTranscript, { maxLength: 3 }), (transcripts) => {
        for (const [rows, name] of [
          ["call", "transcript"],
          ["turn", "turnRow"],
        ] as const) {
          const lines = checked(mainText(written(writers.ndjson.create({ rows }), transcripts)), name);
          expect(lines.length).toBeGreaterThanOrEqual(transcripts.length);
        }
      }),
    );
  });

  it("a transcript that is written turn by turn because it is long", () => {
    const long = { ...complete, turns: Array.from({ length: 5_001 }, (_, index) => ({ ...turn, id: `${index}` })) };
    expect(flawsOf("transcript", lineOf(long, "call"))).toEqual([]);
  });

  it("what a run writes of odd documents, redacted or not", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 30 });
    const dialog = [
      {},
      { id: null, role: ["x"], type: 5, text: null, begin: "1e300", unknown: { a: [null] } },
      { id: 1, role: "tool", text: "<ims_agent_interrupted>\u0000", begin: -3 },
      {
        id: 1,
        role: "agent",
        type: "farewell",
        text: "a<ims_agent_interrupted>13800138000",
        data: { phone: "13800138000" },
      },
    ];
    const bodies: unknown[] = [
      { dialog: [] },
      { dialog },
      { dialog, startTime: 1755138072245, turns: "x", revision: 9, extra: { extra: [] } },
      { dialog, startTime: "1755138072.5", agentUserId: 5, remoteUserId: {}, "": "" },
    ];
    const instances = [
      {
        CallInfo: { CallDuration: -1, CallStartTime: "0000-01-01T00:00:00Z", CallEndTime: "9999-12-31T23:59:59Z" },
      },
      { UserData: "null", CallInfo: { CallDuration: "1e3", CallerNumber: 13800138000 } },
      { UserData: "[1", AgentConfig: [], RuntimeConfig: { AgentUserId: 5 } },
    ];
    for (const [at, body] of bodies.entries())
      for (const [n, instance] of instances.entries())
        cloud.add({ id: `odd-${at}-${n}`, body: JSON.stringify(body), instance });
    const input = [...cloud.ids()].join("\n");
    expect((await place.run(["pull", "-q", "-i", "-"], { input })).stderr).toBe("");
    for (const flags of [[], ["--redact", "all"]]) {
      const whole = await place.run(["export", "--offline", ...flags]);
      const ids = checked(whole.stdout, "transcript").map(({ id }) => id);
      expect([...cloud.ids()].filter((id) => !ids.includes(id))).toEqual([]);
      const rows = await place.run(["export", "--offline", "--rows", "turn", ...flags]);
      expect(checked(rows.stdout, "turnRow").length).toBeGreaterThan(100);
    }
  }, 120_000);
});

describe.each(NAMES)("the schema of a %s", (name) => {
  const schema = schemaOf(name);
  const whole = linesOf[name];
  const promises = promisesOf(schema);

  it("has every property that a line can have, in the order in which it is written, and no other", () => {
    expect(checked(`${JSON.stringify(whole)}\n`, name)).toEqual([whole]);
    expect(pathsIn(whole, promises).sort()).toEqual(propertiesIn(promises).sort());
  });

  it("has an order, which each line must have too", () => {
    const reversed = Object.fromEntries(Object.entries(whole).reverse());
    expect(() => checkLine(reversed)).toThrow("order");
    const [first = ""] = Object.keys(whole);
    const { [first]: value = null, ...rest } = whole;
    expect(() => checkLine({ ...rest, [first]: value })).toThrow(`order: ${first}`);
  });

  it("explains each of its properties", () => {
    const parts = [schema, ...Object.values(schema.$defs as JsonObject)] as JsonObject[];
    const properties = parts.flatMap(everyProperty);
    expect(properties.length).toBeGreaterThan(20);
    for (const [key, property] of properties)
      expect([key, property]).toEqual([
        key,
        expect.objectContaining({ description: expect.stringMatching(/^[A-Z].*\.$/) }),
      ]);
  });

  it("allows unknown properties everywhere, so that later versions can add some; the strict variant does not", () => {
    const lenient = compiled(schema);
    expect(lenient(whole)).toBe(true);
    for (const place of objectsIn(whole, promises)) {
      const changed = withChange(whole, place, (object) => ({ ...object, surprise: 1 }));
      expect([place, lenient(changed)]).toEqual([place, true]);
      expect([place, flawsOf(name, changed)]).toEqual([place, [expect.stringContaining("surprise")]]);
    }
  });

  it("refuses a property of a wrong type, and the lack of a required one", () => {
    const lenient = compiled(schema);
    let wrongTypes = 0;
    let missing = 0;
    for (const place of objectsIn(whole, promises)) {
      const { properties, required = [] } = schemaAt(promises, place);
      for (const [key, property] of Object.entries(properties as Record<string, JsonObject>)) {
        if (property.type === undefined) continue;
        const wrong = property.type === "object" ? "x" : property.type === "string" ? 5 : {};
        for (const value of [wrong, null]) {
          const changed = withChange(whole, place, (object) => ({ ...object, [key]: value }));
          expect([place, key, lenient(changed), flawsOf(name, changed).length > 0]).toEqual([place, key, false, true]);
          wrongTypes += 1;
        }
      }
      for (const key of required as string[]) {
        const changed = withChange(whole, place, ({ [key]: _, ...rest }) => rest);
        expect([place, key, lenient(changed)]).toEqual([place, key, false]);
        missing += 1;
      }
    }
    expect([wrongTypes > 30, missing > 3]).toEqual([true, true]);
  });
});

it.each<[SchemaName, JsonObject]>([
  ["transcript", { source: "elsewhere" }],
  ["transcript", { startedAt: "2025-08-14T02:21:12Z" }],
  ["transcript", { startedAt: "2025-08-14T02:21:12.245+08:00" }],
  ["transcript", { durationSeconds: -1 }],
  ["transcript", { revision: 1 }],
  ["transcript", { revision: 2.5 }],
  ["transcript", { provenance: { sha256: SHA256, bytes: 3 } }],
  ["transcript", { provenance: { records: [] } }],
  ["transcript", { provenance: { records: [{ source: "calls", sha256: SHA256.toUpperCase(), bytes: 3 }] } }],
  ["turnRow", { turn: 0 }],
  ["turnRow", { id: "1" }],
])("a %s with %j is refused", (name, change) => {
  expect(flawsOf(name, { ...linesOf[name], ...change })).not.toEqual([]);
});

it("a row of a conversation without turns has nothing of a turn", () => {
  const { callId, source, text } = linesOf.turnRow;
  expect(flawsOf("turnRow", lineOf({ ...complete, turns: [] }, "turn"))).toEqual([]);
  expect(flawsOf("turnRow", { callId, source } as JsonObject)).toEqual([]);
  expect(flawsOf("turnRow", { callId, source, text } as JsonObject)).not.toEqual([]);
});

it("a turn has the same properties alone and in its transcript", () => {
  const { properties: row } = promisesOf(schemaOf("turnRow")) as { properties: JsonObject };
  const { properties: call } = promisesOf(schemaOf("transcript")) as { properties: JsonObject };
  const { id, ...turn } = (call.turns as { items: { properties: JsonObject } }).items.properties;
  const { callId, turn: _, turnId, source, agentId, sessionId, startedAt, revision, ...rest } = row;
  expect(rest).toEqual(turn);
  expect(turnId).toEqual(id);
  const { id: own, ...same } = call;
  expect(callId).toEqual(own);
  expect(same).toMatchObject({ source, agentId, sessionId, startedAt, revision } as JsonObject);
});

describe.each(NAMES)("later versions only add to the schema of a %s", (name) => {
  const frozen = JSON.parse(read(`test/golden/${SCHEMAS[name].replace(".json", ".2.json")}`)) as JsonObject;

  it("nothing that was promised has changed", () => {
    expect(breaksBetween(frozen, promisesOf(schemaOf(name)))).toEqual([]);
  });
  // Else what is added could be removed again. Add it to the frozen copy too; change nothing else there.
  it("the frozen copy has every addition", () => {
    expect(frozen).toEqual(promisesOf(schemaOf(name)));
  });
});

describe("the comparison of schemas", () => {
  const base: JsonObject = {
    type: "object",
    required: ["id", "list"],
    dependentRequired: { at: ["id"] },
    properties: {
      id: { type: "string", pattern: "^a" },
      at: { type: "string", format: "date-time" },
      size: { type: "integer", minimum: 0 },
      kind: { type: "string", enum: ["a", "b"] },
      any: {},
      list: { type: "array", minItems: 1, items: { type: "object", properties: { n: { type: "number" } } } },
      extra: { type: "object", additionalProperties: true },
    },
  };
  const properties = base.properties as Record<string, JsonObject>;
  const withProperty = (name: string, change: JsonObject): JsonObject => ({
    ...base,
    properties: { ...properties, [name]: { ...properties[name], ...change } },
  });
  const without = (name: string): JsonObject => {
    const { [name]: _, ...rest } = properties;
    return { ...base, properties: rest };
  };
  const kindWithoutEnum = { ...base, properties: { ...properties, kind: { type: "string" } } };

  it.each<[string, JsonObject, string]>([
    ["a removed property", without("size"), "transcript.size was removed"],
    [
      "a removed nested property",
      withProperty("list", { items: { type: "object", properties: {} } }),
      "transcript.list[].n was removed",
    ],
    ["a new required property", { ...base, required: ["id", "list", "size"] }, "transcript.size is newly required"],
    [
      "a new property that is required",
      { ...withProperty("new", { type: "string" }), required: ["id", "list", "new"] },
      "transcript.new is newly required",
    ],
    [
      "a required property that becomes optional",
      { ...base, required: ["id"] },
      "transcript.list is no longer required",
    ],
    ["another type", withProperty("id", { type: "number" }), 'transcript.id: type was "string", is "number"'],
    ["a wider type", withProperty("size", { type: "number" }), 'transcript.size: type was "integer", is "number"'],
    ["a type that becomes a choice", withProperty("id", { type: ["string", "null"] }), "transcript.id: type was"],
    ["a narrower type", withProperty("any", { type: "string" }), 'transcript.any: type was absent, is "string"'],
    [
      "a nested type",
      withProperty("list", { items: { type: "object", properties: { n: { type: "string" } } } }),
      "transcript.list[].n: type was",
    ],
    ["items of any type", withProperty("list", { items: {} }), "transcript.list[]: type was"],
    ["a removed value", withProperty("kind", { enum: ["a"] }), 'transcript.kind: value "b" was removed'],
    ["values that are no longer limited", kindWithoutEnum, 'transcript.kind: enum was ["a","b"], is absent'],
    ["values that are newly limited", withProperty("id", { enum: ["a"] }), "transcript.id: enum was absent"],
    ["another limit", withProperty("size", { minimum: 1 }), "transcript.size: minimum was 0, is 1"],
    ["a new limit", withProperty("size", { maximum: 9 }), "transcript.size: maximum was absent, is 9"],
    ["another pattern", withProperty("id", { pattern: "^b" }), "transcript.id: pattern was"],
    ["another format", withProperty("at", { format: "date" }), "transcript.at: format was"],
    ["another least length", withProperty("list", { minItems: 0 }), "transcript.list: minItems was 1, is 0"],
    [
      "additions that are forbidden",
      { ...base, additionalProperties: false },
      "transcript: additionalProperties was absent, is false",
    ],
    ["another dependency", { ...base, dependentRequired: { at: ["size"] } }, "transcript.at: dependentRequired was"],
  ])("finds %s", (_, after, message) => {
    expect(breaksBetween(promisesOf(base), promisesOf(after))).toContainEqual(expect.stringContaining(message));
  });

  it.each<[string, JsonObject]>([
    ["a new optional property", withProperty("new", { type: "object", required: ["x"], properties: { x: {} } })],
    [
      "a new nested property",
      withProperty("list", { items: { type: "object", properties: { n: { type: "number" }, m: {} } } }),
    ],
    ["a new value", withProperty("kind", { enum: ["a", "b", "c"] })],
    ["a dependency of a new property", { ...withProperty("new", {}), dependentRequired: { at: ["id"], new: ["at"] } }],
    ["another description", { ...withProperty("id", { description: "x", examples: ["a"] }), title: "x" }],
    [
      "the same behind a name",
      {
        ...withProperty("id", {}),
        $defs: { x: properties.id ?? {} },
        properties: { ...properties, id: { $ref: "#/$defs/x" } },
      },
    ],
  ])("accepts %s", (_, after) => {
    expect(breaksBetween(promisesOf(base), promisesOf(after))).toEqual([]);
  });
});

describe("docs/formats.md", () => {
  /** The first column of the table under a heading, and the second. */
  const tableIn = (heading: string): [string, string][] => {
    const [, section = ""] = read("docs/formats.md").split(`\n${heading}\n`);
    const lines =
      section
        .split(/\n#+ /)[0]
        ?.split("\n")
        .filter((line) => line.startsWith("| `")) ?? [];
    return lines.map((line) => line.split(" | ").map((cell) => cell.replace(/^\| `|`$| \|$/g, "")) as [string, string]);
  };
  const keysOf = (schema: Json | undefined): string[] => Object.keys((schema as { properties: JsonObject }).properties);
  const { $defs } = schemaOf("transcript") as { $defs: JsonObject };

  it("names each column of the CSV, in order", () => {
    expect(tableIn("## csv")).toEqual(csvColumns.map(({ name, about }) => [name, about]));
  });
  it.each<[string, Json | undefined]>([
    ["## ndjson", schemaOf("transcript")],
    ["### Turns", $defs.turn],
    ["### Media", $defs.mediaFile],
    ["### Provenance", $defs.record],
    ["### Rows of turns", schemaOf("turnRow")],
  ])("names each key under %s, in order", (heading, schema) => {
    expect(tableIn(heading).flatMap(([keys]) => keys.split("`, `"))).toEqual(keysOf(schema));
  });
});

/** The places of all objects with known properties, as paths of keys. */
const objectsIn = (value: Json, schema: JsonObject, path: (string | number)[] = []): (string | number)[][] => {
  if (Array.isArray(value))
    return value.flatMap((item, at) => objectsIn(item, (schema.items ?? {}) as JsonObject, [...path, at]));
  const properties = schema.properties as Record<string, JsonObject> | undefined;
  if (properties === undefined || typeof value !== "object" || value === null) return [];
  return [
    path,
    ...Object.entries(value).flatMap(([key, one]) => objectsIn(one, properties[key] ?? {}, [...path, key])),
  ];
};

const schemaAt = (schema: JsonObject, path: (string | number)[]): JsonObject =>
  path.reduce<JsonObject>(
    (at, step) => (typeof step === "number" ? at.items : (at.properties as JsonObject)[step]) as JsonObject,
    schema,
  );

const withChange = (
  value: Json,
  [step, ...rest]: (string | number)[],
  change: (object: JsonObject) => JsonObject,
): Json => {
  if (step === undefined) return change(value as JsonObject);
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? withChange(item, rest, change) : item));
  const object = value as JsonObject;
  return { ...object, [step]: withChange(object[step] ?? null, rest, change) };
};

/** The places of the properties that a value has, in the words of `propertiesIn`. */
const pathsIn = (value: Json, schema: JsonObject): string[] => {
  const places = objectsIn(value, schema).flatMap((path) => {
    const name = path.map((step) => (typeof step === "number" ? "[]" : `.${step}`)).join("");
    const object = path.reduce<Json>((at, step) => (at as JsonObject)[step as string] ?? null, value);
    return Object.keys(object as JsonObject).map((key) => `transcript${name}.${key}`);
  });
  return [...new Set(places)];
};

const everyProperty = (schema: Json | undefined): [string, Json][] => {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return [];
  const own = Object.entries((schema.properties ?? {}) as JsonObject);
  return [...own, ...own.flatMap(([, property]) => everyProperty(property)), ...everyProperty(schema.items)];
};

it("the strict variant keeps everything else", () => {
  expect(
    breaksBetween(promisesOf(schemaOf("transcript")), promisesOf(strictSchema(schemaOf("transcript")) as JsonObject)),
  ).toEqual(expect.arrayContaining(["transcript: unevaluatedProperties was absent, is false"]));
});
