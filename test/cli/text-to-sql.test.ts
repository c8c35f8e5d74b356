import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { presets } from "../../src/presets/index.ts";
import { type Ran, summaryOf, type Workplace, workplace } from "../helpers/workplace.ts";

const SQL = ["dataset", "--task", "text-to-sql", "--settle", "0"];
const WHOLE = ["--split", "train=1"];
const PRESETS = Object.keys(presets);

type Entry = { MessageId: string } & Record<string, unknown>;
const FIXTURE: Entry[] = JSON.parse(
  readFileSync(new URL("../fixtures/queries/entries.json", import.meta.url).pathname, "utf8"),
);

/** An archive with these entries of the query log. */
const logged = async (entries: readonly Entry[], place = workplace()): Promise<Workplace> => {
  const cloud = await place.cloud({ calls: 0 });
  for (const fields of entries) cloud.addQuery({ fields, messageId: fields.MessageId });
  const ran = await place.run(["pull", "queries"]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return place;
};

const RESULT = {
  Schema: [{ Name: "n", Type: "BIGINT" }],
  Rows: "[[1]]",
  RowCount: 1,
  TotalRows: 1,
  IsTruncated: false,
};
const asked = (query: string | undefined, result: object | undefined = RESULT): object => ({
  TextAttachments: ["One."],
  QueryAttachments: query === undefined ? [] : [{ Query: query, ...(result && { Result: result }) }],
});

/** An entry of a conversation, as the log has it. */
const entry = (conversation: string, number: number, fields: Record<string, unknown> = {}): Entry => ({
  MessageId: `${conversation}_${number}`,
  ConversationId: conversation,
  AgentName: "my-agent",
  Question: `How many events of kind ${conversation} ${number}?`,
  Status: "SUCCEEDED",
  ClarificationNeeded: false,
  Content: asked(`SELECT COUNT(*) AS n FROM events WHERE kind = '${conversation}' AND part = ${number}`),
  IsError: false,
  CreatedAt: String(1_717_200_000_000 + number * 60_000),
  DurationMs: 900,
  Source: "MCP",
  ...fields,
});

/** Different questions in conversations of three. */
const many = (count: number): Entry[] =>
  Array.from({ length: count }, (_, at) => entry(`conv${Math.floor(at / 3)}`, (at % 3) + 1));

interface Row {
  messages: { role: string; content: string }[];
}
const rows = (place: Workplace, folder = "set"): Row[] => place.rows<never>(folder, "train.jsonl");
interface Line {
  id: string;
  conversation: string;
  step: string;
  reason: string;
  split: string;
  of?: string;
}
const bare = (id: string): string => id.replace(/^queries:/, "");
const dropped = (place: Workplace, folder = "set"): { id: string; step: string; reason: string; of?: string }[] =>
  place.rows<Line & Record<string, unknown>>(folder, "dropped.ndjson").map(({ id, step, reason, of }) => ({
    id: bare(id),
    step,
    reason,
    ...(of !== undefined && { of: bare(of) }),
  }));
const origins = (place: Workplace, folder = "set"): { id: string; call: string; split: string }[] =>
  place
    .rows<Line & Record<string, unknown>>(folder, "provenance.ndjson")
    .map(({ id, conversation, split }) => ({ id: bare(id), call: bare(conversation), split }));
const run = async (place: Workplace, ...args: string[]): Promise<Ran> => {
  const ran = await place.run([...SQL, "-o", "set", ...args]);
  expect([args, ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([args, 0, ""]);
  return ran;
};

describe("dataset --task text-to-sql", () => {
  test("gives the question and the SQL of every entry that succeeded: golden files of all presets", async () => {
    const place = await logged(FIXTURE);
    const ran = await run(place, ...WHOLE, "--sql-schema", "--preset", PRESETS.join(","));
    for (const preset of PRESETS)
      await expect(place.read("set", preset, "train.jsonl")).toMatchFileSnapshot(
        `../golden/text-to-sql/${preset}.jsonl`,
      );
    await expect(place.read("set", "provenance.ndjson")).toMatchFileSnapshot("../golden/text-to-sql/provenance.ndjson");
    await expect(place.read("set", "dropped.ndjson")).toMatchFileSnapshot("../golden/text-to-sql/dropped.ndjson");
    const card = place.read("set", "README.md");
    expect(card).toContain(
      "# Questions and SQL for fine-tuning\n\n2 samples from 1 of 2 conversations with query agents",
    );
    expect(card).toContain("| entry | clarification | 1 |");
    for (const line of [
      "2 conversations read = 1 kept + 1 dropped; 2 samples",
      "4 entries read = 2 samples + 2 dropped",
      "  1 dropped by entry: clarification",
    ])
      expect(ran.stderr).toContain(`Z ${line}\n`);
    expect((await place.run(["verify", "set"])).code).toBe(0);
  });

  test("every preset accepts the rows, in every form", async () => {
    const place = await logged(many(60));
    for (const flags of [[], ["--sql-schema", "--shuffle"], ["--system", "You write SQL.", "--think", "empty"]]) {
      await run(place, ...WHOLE, "--preset", PRESETS.join(","), ...flags);
      for (const preset of PRESETS) {
        const checked = await place.run(["check", `set/${preset}`, "--preset", preset]);
        expect([preset, flags, checked.code, checked.code === 0 ? "" : checked.stdout]).toEqual([preset, flags, 0, ""]);
        expect(place.rows("set", preset, "train.jsonl")).toHaveLength(60);
      }
      expect(JSON.parse(place.read("set", "report.json")).unwritten).toEqual([]);
    }
  });

  test("names why each other entry gives no sample, and counts it", async () => {
    const broken = { ...RESULT, IsTruncated: true, TotalRows: 9 };
    const cases: [reason: string, fields: Record<string, unknown>][] = [
      ["failed", { Status: "FAILED", IsError: true }],
      ["failed", { IsError: true }],
      ["timed-out", { Status: "TIMEOUT", IsError: true }],
      ["unknown-status", { Status: "PAUSED" }],
      ["clarification", { ClarificationNeeded: true, ClarificationQuestion: "Which?" }],
      ["no-question", { Question: " " }],
      ["no-query", { Content: asked(undefined) }],
      ["no-query", { Content: asked("") }],
      [
        "several-queries",
        { Content: { QueryAttachments: [1, 2].map((n) => ({ Query: `SELECT ${n}`, Result: RESULT })) } },
      ],
      ["no-result", { Content: { QueryAttachments: [{ Query: "SELECT 1" }] } }],
      ["truncated", { Content: asked("SELECT 1", broken) }],
      ["truncated", { Content: asked("SELECT 1", { ...RESULT, IsTruncated: undefined, TotalRows: 9 }) }],
      ["sql-does-not-parse", { Content: asked("SELECT n FROM") }],
      ["sql-does-not-parse", { Content: asked("-- nothing to do") }],
    ];
    const place = await logged([
      ...cases.map(([, fields], at) => entry("mixed", at + 1, fields)),
      entry("mixed", 50),
      entry("alone", 1, { Status: "FAILED", IsError: true }),
    ]);
    const ran = await run(place, ...WHOLE, "--log-format", "json");
    expect(origins(place).map(({ id }) => id)).toEqual(["mixed#15"]);
    expect(dropped(place)).toEqual([
      { id: "alone", step: "entries", reason: "no-sample" },
      { id: "alone#1", step: "entry", reason: "failed" },
      ...cases.map(([reason], at) => ({
        id: `mixed#${at + 1}`,
        step: reason.startsWith("sql") ? "sql" : "entry",
        reason,
      })),
    ]);
    const { lost, samples, calls } = JSON.parse(place.read("set", "report.json"));
    const total = lost.reduce((sum: number, each: { samples: number }) => sum + each.samples, 0);
    expect([samples, total, calls]).toEqual([1, 15, { read: 2, kept: 1, changed: 0, dropped: 1 }]);
    expect(lost[0]).toEqual({ step: "entry", reason: "failed", samples: 3 });
    expect(summaryOf(ran)).toMatchObject({ task: "text-to-sql", lost, unwritten: [] });
  });

  test("an entry that never got its answer is running, and does not hold back the others", async () => {
    const place = workplace();
    await logged([entry("c", 1), entry("c", 2, { Status: "RUNNING", Content: asked(undefined) })], place);
    await run(place, ...WHOLE);
    expect(origins(place).map(({ id }) => id)).toEqual(["c#1"]);
    expect(dropped(place)).toEqual([{ id: "c#2", step: "entry", reason: "running" }]);
  });

  test("--sql-schema adds the columns of the result to the system turn, --system works as for chats", async () => {
    const schema = [
      { Name: "city", Type: "VARCHAR" },
      { Name: 'COUNT(*) of "all"', Type: "DECIMAL(10,2)" },
      { Name: "数量" },
    ];
    const chat = {
      Source: "CHAT",
      Content: {
        QueryAttachments: [{ Query: "SELECT 3", Result: { ...RESULT, Schema: [] } }],
        MessageAttachments: [
          { Id: "s", Role: "system", Content: "Be exact." },
          { Id: "r", Role: "assistant", Content: "", Reasoning: "Three." },
          { Id: "a", Role: "assistant", Content: "It is three.", Reasoning: "Not for the SQL." },
        ],
      },
    };
    const place = await logged([
      entry("c", 1, { Content: asked("SELECT 1", { ...RESULT, Schema: schema }) }),
      entry("c", 2, chat),
    ]);
    const systems = async (...flags: string[]): Promise<(string | undefined)[]> => {
      await run(place, ...WHOLE, ...flags);
      return rows(place).map(({ messages: [first] }) => (first?.role === "system" ? first.content : undefined));
    };
    const columns = 'Columns of the result: city VARCHAR, "COUNT(*) of ""all""" DECIMAL(10,2), 数量';
    expect(await systems()).toEqual([undefined, "Be exact."]);
    expect(await systems("--sql-schema")).toEqual([columns, "Be exact."]);
    expect(await systems("--sql-schema", "--system", "none")).toEqual([columns, undefined]);
    expect(await systems("--sql-schema", "--system", "Use Trino.")).toEqual([`Use Trino.\n\n${columns}`, "Use Trino."]);
    await run(place, ...WHOLE, "--preset", "bailian", "--think", "reasoning");
    expect(rows(place).map(({ messages }) => messages.at(-1)?.content)).toEqual([
      "<think>\n\n</think>\n\nSELECT 1",
      "<think>\nThree.\n</think>\n\nSELECT 3",
    ]);
  });

  test("all samples of a conversation are in one split, which stays the same when the log grows", async () => {
    const place = await logged(many(150));
    // These questions differ in numbers alone, so they are near copies of each other.
    const split = ["--split", "train=0.5,test=0.5", "--dedupe", "none"];
    await run(place, ...split);
    const of = new Map<string, Set<string>>();
    for (const { call, split: name } of origins(place)) of.set(call, (of.get(call) ?? new Set()).add(name));
    expect(of.size).toBeGreaterThan(20);
    expect([...of.values()].every((names) => names.size === 1)).toBe(true);
    expect(new Set([...of.values()].flatMap((names) => [...names]))).toEqual(new Set(["train", "test"]));
    await place.run([...SQL, "--shuffle", ...split, "-o", "one"]);
    await place.run([...SQL, "--shuffle", ...split, "-o", "two"]);
    expect(place.read("one", "train.jsonl")).toBe(place.read("two", "train.jsonl"));
    expect(place.read("one", "train.jsonl")).not.toBe(place.read("set", "train.jsonl"));
  });

  test("copies, languages and --sample drop entry by entry, and each is named", async () => {
    const same = { Question: "昨天有多少订单?", Content: asked("SELECT COUNT(*) AS n FROM orders") };
    const place = await logged([entry("a", 1, same), entry("a", 2), entry("b", 1, same), entry("b", 2)]);
    await run(place, ...WHOLE);
    expect(dropped(place)).toEqual([{ id: "b#1", step: "dedupe", reason: "exact-duplicate", of: "a#1" }]);
    // The language is that of the question: SQL is English everywhere.
    await run(place, ...WHOLE, "--language", "zh");
    expect(origins(place).map(({ id }) => id)).toEqual(["a#1"]);
    await run(place, ...WHOLE, "--sample", "1", "--dedupe", "none");
    expect(origins(place)).toHaveLength(1);
    expect(dropped(place).filter(({ id, reason }) => id.includes("#") && reason === "not-drawn")).toHaveLength(3);
  });

  test("the SQL is checked as it is written: what redaction breaks is dropped", async () => {
    const phone = "13812345678";
    const place = await logged([
      entry("a", 1, { Question: `Who has ${phone}?`, Content: asked(`SELECT 1 FROM t WHERE phone = '${phone}'`) }),
      entry("a", 2, { Question: `And ${phone}?`, Content: asked(`SELECT 1 FROM t WHERE phone = ${phone}`) }),
    ]);
    await run(place, ...WHOLE, "--redact", "phone");
    expect(rows(place)).toEqual([
      {
        messages: [
          { role: "user", content: "Who has <PHONE_1>?" },
          { role: "assistant", content: "SELECT 1 FROM t WHERE phone = '<PHONE_1>'" },
        ],
      },
    ]);
    expect(dropped(place)).toEqual([{ id: "a#2", step: "sql", reason: "sql-does-not-parse" }]);
  });

  test("does not read conversations of other sources, except those that are named", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 3, queries: 10 });
    const [id = ""] = cloud.ids();
    expect((await place.run(["pull", ...cloud.ids()])).code).toBe(0);
    const none = await run(place);
    expect(none.stderr).toContain("No conversation of the query log is selected");
    expect((await place.run(["pull", "queries"])).code).toBe(0);
    await run(place, "--dedupe", "none", "--split", "train=1");
    expect(new Set(origins(place).map(({ call }) => call.slice(0, 5)))).toEqual(new Set(["conv_"]));
    expect(dropped(place).some(({ step }) => step === "source")).toBe(false);
    await run(place, id);
    expect(dropped(place)).toEqual([{ id, step: "source", reason: "other-source" }]);
  });

  test("flags of the other task are a usage error, and are ignored in the config file and the environment", async () => {
    const place = await logged(many(6));
    const flags = ["--greeting drop", "--interrupted keep", "--strip-fillers", "--kind x", "--expand turn"];
    const limits = ["--min-turns 3", "--max-turns 1", "--min-duration 9h", "--max-call-duration 1s"];
    for (const flag of [...flags, ...limits, "--min-characters 99999"]) {
      const ran = await place.run([...SQL, ...flag.split(" "), "-o", "no"]);
      const name = flag.split(" ")[0];
      const message = `${name} is not a flag of "dataset --task text-to-sql", but of "dataset --task chat".`;
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    const ran = await place.run(["dataset", "--sql-schema", "-o", "no"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('"dataset --task text-to-sql"')]);
    expect(existsSync(place.path("no"))).toBe(false);
    await run(place, ...WHOLE, "--preset", "openai");
    const plain = place.read("set", "train.jsonl");
    const env = { CALLARCHIVE_GREETING: "mask", CALLARCHIVE_EXPAND: "turn", CALLARCHIVE_MIN_TURNS: "9" };
    const ignored = await place.run([...SQL, ...WHOLE, "--preset", "openai", "-o", "env"], { env });
    expect([ignored.code, place.read("env", "train.jsonl")]).toEqual([0, plain]);
    expect(JSON.parse(place.read("env", "report.json")).policies).not.toHaveProperty("greeting");
    const chat = await place.run(["dataset", "-o", "chat"], { env: { CALLARCHIVE_SQL_SCHEMA: "true" } });
    expect(chat.code).toBe(0);
  });
});

describe("the summary of a data set", () => {
  test("says which samples a preset cannot express, and which preset has no row", async () => {
    const place = await logged([...FIXTURE, entry("words", 1, { Content: asked(undefined) })]);
    const args = ["dataset", "--settle", "0", ...WHOLE, "--preset", "messages,openai,alpaca", "-o", "set"];
    const ran = await place.run([...args, "--color", "always"]);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain("\u001B[33mmessages: 2 samples not written: tool-calls 2\u001B[39m");
    expect(ran.stderr).not.toContain("openai: ");
    const unwritten = ["messages", "alpaca"].map((preset) => ({
      preset,
      samples: 2,
      reasons: [{ reason: "tool-calls", samples: 2 }],
    }));
    expect(summaryOf(await place.run([...args, "--log-format", "json"]))).toMatchObject({ unwritten });
    expect(JSON.parse(place.read("set", "report.json")).unwritten).toEqual(unwritten);
    expect(place.read("set", "README.md")).toContain("| messages | tool-calls | 2 |");
  });

  test("of a preset without any row says so, and of an empty set too", async () => {
    const place = await logged(FIXTURE);
    const ran = await place.run(["dataset", "--settle", "0", "-o", "set"]);
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining("messages: no rows; 2 samples not written: ")]);
    const empty = await place.run(["dataset", "--settle", "0", "--min-turns", "99", "-o", "set"]);
    expect([empty.code, empty.stderr]).toEqual([
      0,
      expect.stringContaining("The data set is empty: no preset has a row."),
    ]);
  });
});
