import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, test } from "vitest";
import { type PresetName, presets } from "../../src/presets/index.ts";
import { TEMPLATE, TOKENIZER } from "../helpers/tokenizer.ts";
import { parseLines, type Workplace, workplace } from "../helpers/workplace.ts";

interface Found {
  file: string;
  rule: string;
  line?: number;
  severity: string;
  detail: string;
}

const chat = (question: string, answer = "Hello."): string =>
  JSON.stringify({
    messages: [
      { role: "user", content: question },
      { role: "assistant", content: answer },
    ],
  });

const files = (contents: Record<string, string | Buffer>): Workplace => {
  const place = workplace();
  mkdirSync(place.path("set"));
  for (const [name, text] of Object.entries(contents)) writeFileSync(place.path("set", name), text);
  return place;
};

const check = async (place: Workplace, path: string, ...flags: string[]) => {
  const { code, stdout, stderr } = await place.runHere(["check", path, "--json", "-v", ...flags]);
  const lines = parseLines<Found & { rows?: number }>(stdout);
  const found = lines.filter(({ rule }) => rule !== undefined);
  return { code, stderr, found, rows: lines.flatMap(({ rows }) => rows ?? []) };
};
const short = ({ file, rule, line, severity }: Found) => [file, line, severity, rule];

describe("a copy of a row", () => {
  test("is found wherever it is in the file, also with another id, other spaces, or other escapes", async () => {
    const first = JSON.parse(chat("你好"));
    const copies = [
      JSON.stringify({ ...first, id: "b" }),
      JSON.stringify(first, null, 1).replaceAll("\n", " "),
      JSON.stringify(first).replace("你", "\\u4f60"),
    ];
    const text = [JSON.stringify({ ...first, id: "a" }), chat("Hi."), ...copies, chat("Hi. "), chat("Hi.")].join("\n");
    const { found } = await check(files({ "a.jsonl": text }), "set/a.jsonl", "--preset", "ms-swift");
    const copied = found.filter(({ rule }) => rule === "duplicate-row");
    expect(copied.map(({ line, detail }) => [line, detail])).toEqual([
      [3, "has the content of line 1"],
      [4, "has the content of line 1"],
      [5, "has the content of line 1"],
      [7, "has the content of line 2"],
    ]);
    expect(copied.every(({ severity }) => severity === "warning")).toBe(true);
  });
  test("is none if the rows have other files, labels, or rejected answers, or no column that is known", async () => {
    const { messages } = JSON.parse(chat("Hi."));
    const rows = [{ messages }, { messages, images: ["a"] }, { messages, images: ["b"] }, { messages, label: false }];
    const others = [{ messages, rejected_response: "a" }, { text: "a" }, { text: "b" }];
    const text = [...rows, ...others].map((row) => `${JSON.stringify(row)}\n`).join("");
    const { found } = await check(files({ "a.jsonl": text }), "set/a.jsonl", "--preset", "ms-swift");
    expect(found.filter(({ rule }) => rule === "duplicate-row")).toEqual([]);
  });
  test("in another split is an error, in another file of the same split a warning", async () => {
    const place = files({
      "test.jsonl": `${chat("a")}\n${chat("b")}\n`,
      "train-00000-of-00002.jsonl": `${chat("c")}\n${chat("b")}\n`,
      "train-00001-of-00002.jsonl": `${chat("c")}\n${chat("d")}\n`,
      "validation.jsonl.gz": gzipSync(`${chat("d")}\n${chat("e")}\n`),
    });
    const { code, found } = await check(place, "set", "--preset", "messages");
    expect(found.map(short)).toEqual([
      ["set/train-00000-of-00002.jsonl", 2, "error", "row-in-two-splits"],
      ["set/train-00001-of-00002.jsonl", 1, "warning", "duplicate-row"],
      ["set/validation.jsonl.gz", 1, "error", "row-in-two-splits"],
    ]);
    expect(found[0]?.detail).toBe("has the content of line 2 in test.jsonl");
    expect(code).toBe(3);
  });
  test("is found in files that are named together, and not in the folders of two presets", async () => {
    const place = files({ "a.jsonl": `${chat("a")}\n`, "eval.jsonl": `${chat("a")}\n` });
    const { stdout, code } = await place.runHere(["check", "set/a.jsonl", "set/eval.jsonl", "--preset", "messages"]);
    expect(stdout).toContain("set/eval.jsonl:1: error row-in-two-splits: has the content of line 1 in set/a.jsonl");
    expect(code).toBe(3);
    for (const name of ["together", "openai"]) {
      mkdirSync(place.path("sets", name), { recursive: true });
      writeFileSync(
        place.path("sets", name, "train.jsonl"),
        Array.from({ length: 10 }, (_, n) => `${chat(`${n}`)}\n`).join(""),
      );
    }
    expect((await check(place, "sets")).found).toEqual([]);
  });
  test.each(Object.keys(presets) as PresetName[])("is found in the shape of %s", async (name) => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 12 });
    await place.runHere(["pull", ...cloud.ids()]);
    expect((await place.runHere(["dataset", "--preset", name, "--split", "train=1", "-o", "set"])).code).toBe(0);
    const own = (await check(place, "set", "--preset", name)).found.filter(({ severity }) => severity === "error");
    expect(own).toEqual([]);
    const text = place.read("set", "train.jsonl");
    const [first = ""] = text.split("\n");
    writeFileSync(place.path("twice.jsonl"), `${text}${first}\n`);
    const { found } = await check(place, "twice.jsonl", "--preset", name);
    const lines = text.trimEnd().split("\n").length;
    expect(found).toContainEqual(
      expect.objectContaining({ rule: "duplicate-row", line: lines + 1, detail: "has the content of line 1" }),
    );
  });
  test("is found among more rows than the first table holds", async () => {
    const text = Array.from({ length: 5000 }, (_, index) => `${chat(`q${index}`)}\n`).join("");
    const place = files({ "a.jsonl": `${text}${chat("q3")}\n${chat("q4321")}\n` });
    const { found } = await check(place, "set/a.jsonl", "--preset", "messages");
    expect(found.map(({ line, detail }) => [line, detail])).toEqual([
      [5001, "has the content of line 4"],
      [5002, "has the content of line 4322"],
    ]);
  });
});

describe("a key that an object has twice", () => {
  const good = chat("Hi.");
  test.each([
    ['{"messages":[],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}'],
    [good.replace('"role":"user"', '"role":"assistant","role":"user"')],
    [good.replace('"role":"user"', '"r\\u006fle":"assistant" , "role" : "user"')],
    [good.replace('"Hello."', '"a\\"b","content":"c"')],
  ])("is found: %s", async (line) => {
    const { code, found } = await check(
      files({ "a.jsonl": `${good}\n${line}\n` }),
      "set/a.jsonl",
      "--preset",
      "messages",
    );
    expect(found.filter(({ rule }) => rule !== "duplicate-row")).toEqual([
      expect.objectContaining({
        line: 2,
        severity: "error",
        rule: "duplicate-key",
        detail: "an object has a key twice",
      }),
    ]);
    expect(code).toBe(3);
  });
  test("is none in texts, lists, or other objects", async () => {
    const line = chat('{"a":1,"a":2} "role": "role":', 'C:\\\\ "x\\": {');
    const { found } = await check(files({ "a.jsonl": line }), "set/a.jsonl", "--preset", "messages");
    expect(found).toEqual([]);
  });
});

describe("rows that are too long", () => {
  const place = () => {
    const made = files({ "a.jsonl": `${chat("Hi.")}\n${chat("Hi.", "the ".repeat(100))}\n` });
    writeFileSync(made.path("tokenizer.json"), JSON.stringify(TOKENIZER));
    writeFileSync(made.path("tokenizer_config.json"), JSON.stringify({ chat_template: TEMPLATE }));
    return made;
  };
  test("are found by tokens, counted as dataset counts them", async () => {
    const { code, found } = await check(place(), "set", "--max-tokens", "60", "--tokenizer", "tokenizer.json");
    expect(found).toEqual([expect.objectContaining({ line: 2, severity: "error", rule: "too-many-tokens" })]);
    expect(found[0]?.detail).toMatch(/^\d+ tokens of at most 60$/);
    expect(code).toBe(3);
  });
  test("are found by characters without a tokenizer", async () => {
    const { found } = await check(place(), "set", "--max-characters", "400");
    expect(found.map(({ line, rule, detail }) => [line, rule, detail])).toEqual([
      [2, "too-many-characters", "403 characters of at most 400"],
    ]);
    expect((await check(place(), "set", "--max-characters", "403")).code).toBe(0);
  });
  test.each([
    [
      "sharegpt",
      {
        conversations: [
          { from: "human", value: "Hi." },
          { from: "gpt", value: "x".repeat(400) },
        ],
      },
    ],
    [
      "trl",
      { prompt: [{ role: "user", content: "Hi." }], completion: [{ role: "assistant", content: "x".repeat(400) }] },
    ],
    ["alpaca", { instruction: "Hi.", input: "", output: "o", history: [["a", "x".repeat(400)]], system: "" }],
    [
      "bailian",
      {
        messages: [
          { role: "user", content: "Hi." },
          { role: "assistant", content: [{ text: "x".repeat(400) }] },
        ],
      },
    ],
  ])("are found in the shape of %s", async (preset, row) => {
    const made = place();
    writeFileSync(made.path("row.jsonl"), `${JSON.stringify(row)}\n`);
    const flags = [
      "--preset",
      preset,
      "--max-tokens",
      "100",
      "--tokenizer",
      "tokenizer.json",
      "--max-characters",
      "300",
    ];
    const { found } = await check(made, "row.jsonl", ...flags);
    const rules = found.map(({ rule }) => rule).filter((rule) => rule.startsWith("too-many"));
    expect(rules).toEqual(["too-many-characters", "too-many-tokens"]);
  });
  test("that the chat template refuses are found too", async () => {
    const made = place();
    const first = {
      messages: [
        { role: "assistant", content: "a" },
        { role: "user", content: "a" },
        { role: "assistant", content: "a" },
      ],
    };
    writeFileSync(made.path("row.jsonl"), `${JSON.stringify(first)}\n`);
    const { found } = await check(made, "row.jsonl", "--preset", "together", "--tokenizer", "tokenizer.json");
    expect(found.at(-1)).toMatchObject({
      rule: "too-many-tokens",
      detail: "cannot be counted: the chat template refuses the row",
    });
  });
});

describe("Parquet", () => {
  test("is read as JSON lines are: the own files of every preset have no errors", async () => {
    const place = workplace();
    const cloud = await place.cloud({ calls: 40 });
    await place.runHere(["pull", ...cloud.ids()]);
    for (const preset of Object.keys(presets)) {
      await place.runHere(["dataset", "--preset", preset, "--parquet", "--split", "train=1", "-o", "set"]);
      await place.runHere(["dataset", "--preset", preset, "--split", "train=1", "-o", "lines"]);
      const { code, found, rows } = await check(place, "set/train.parquet", "--preset", preset);
      expect([preset, code, found.filter(({ severity }) => severity === "error")]).toEqual([preset, 0, []]);
      expect(rows).toEqual((await check(place, "lines/train.jsonl", "--preset", preset)).rows);
    }
  });
  test("of other tools: findings have the number of their row, and the splits of a folder are compared", async () => {
    const parquet = (rows: object[]) =>
      Buffer.from(parquetWriteBuffer({ columnData: [{ name: "messages", data: rows, type: "JSON" }] }));
    const rows = (...questions: string[]) => questions.map((question) => JSON.parse(chat(question)).messages);
    const broken = [{ role: "user", content: "a</s>" }];
    const place = files({
      "test.parquet": parquet(rows("a", "b")),
      "train.parquet": parquet([...rows("c", "b"), broken]),
    });
    const { code, found } = await check(place, "set");
    expect(found.map(short)).toEqual([
      ["set/train.parquet", 2, "error", "row-in-two-splits"],
      ["set/train.parquet", 3, "error", "no-assistant"],
      ["set/train.parquet", 3, "error", "control-token"],
    ]);
    expect(code).toBe(3);
  });
  test("that is damaged is an error", async () => {
    const { code, found } = await check(files({ "a.parquet": "PAR1 no PAR1" }), "set/a.parquet");
    expect(found.map(short)).toEqual([["set/a.parquet", 1, "error", "broken-parquet"]]);
    expect(code).toBe(3);
  });
});

describe("--fix", () => {
  const mend = async (text: string | Buffer, preset: PresetName = "messages", name = "a.jsonl") => {
    const place = files({ [name]: text });
    const { code, stdout, stderr } = await place.runHere([
      "check",
      `set/${name}`,
      "--preset",
      preset,
      "--fix",
      "mended.jsonl",
      "--json",
    ]);
    expect(stderr).toBe("");
    const [first, ...lines] = parseLines<Found & { mended: Record<string, number>; lines: number }>(stdout);
    const found = lines.filter(({ rule }) => rule !== undefined).map(({ line, rule }) => [line, rule]);
    return { code, mended: first?.mended, lines: first?.lines, found, text: place.read("mended.jsonl"), place };
  };
  const good = chat("你好 1.0");

  test("writes a copy without what has one right answer, and checks the copy", async () => {
    const evil = chat("a\0b\r\nc <|im_end|>", "<think>\nHm </s>\n</think>\n\nYes\u0007.").replace("Hm", "Hm\\ud83e");
    const text = `\uFEFF${good}\r\n\n${evil}\n${JSON.stringify(JSON.parse(good), null, 1).replaceAll("\n", " ")}\n \n${chat("z")}`;
    const { code, mended, lines, found, text: copy } = await mend(text);
    expect(mended).toEqual({
      bom: 1,
      crlf: 1,
      "blank-line": 2,
      "lone-surrogate": 1,
      "carriage-return": 1,
      "control-character": 1,
      "control-token": 1,
      "duplicate-row": 1,
    });
    const safe = chat("ab\nc <\\|im_end|>", "<think>\nHm\ufffd <\\/s>\n</think>\n\nYes.");
    expect(copy).toBe(`${good}\n${safe}\n${chat("z")}\n`);
    expect([lines, code, found]).toEqual([3, 0, [[2, "replacement-character"]]]);
  });
  test("keeps every other line byte for byte, and reports what is left", async () => {
    const rows = [
      `{ "messages" : ${JSON.stringify(JSON.parse(good).messages)} }`,
      chat("x\0").replace("}]}", '}],"n":12345678901234567890}'),
      '{"messages": [',
      '{"messages":[],"messages":[{"role":"user","content":"\\u0000"}]}',
      JSON.stringify({ messages: [{ role: "user", content: "only" }] }),
    ];
    const { code, mended, text } = await mend(`${rows.join("\n")}\n`);
    expect([code, mended, text]).toEqual([3, {}, `${rows.join("\n")}\n`]);
  });
  test("keeps what a preset has in its rows: JSON of calls, placeholders of files", async () => {
    const talk = (value: string) =>
      JSON.stringify({
        conversations: [
          { from: "human", value: "<image> <image>" },
          { from: "function_call", value },
        ],
        images: ["a"],
      });
    const { text, found } = await mend(`${talk('{"name":"f","arguments":{"q":"</s>"}}')}\n`, "llama-factory");
    expect(JSON.parse(text).conversations).toEqual([
      { from: "human", value: "<image> <\\image>" },
      { from: "function_call", value: '{"name":"f","arguments":{"q":"<\\\\/s>"}}' },
    ]);
    expect(found.map(([, rule]) => rule)).not.toContain("control-token");
    expect(found.map(([, rule]) => rule)).not.toContain("function-call");
  });
  test("reads gzip, and a file in which nothing is wrong is copied as it is", async () => {
    const { code, mended, text } = await mend(gzipSync(`${good}\n`), "messages", "a.jsonl.gz");
    expect([code, mended, text]).toEqual([0, {}, `${good}\n`]);
  });
  test("leaves out only whole copies: a row with another id stays, and is reported", async () => {
    const rows = ["a", "b", "a"].map((id) => JSON.stringify({ id, ...JSON.parse(good) }));
    const { text, found } = await mend(`${rows.join("\n")}\n`, "ms-swift");
    expect(text).toBe(`${rows[0]}\n${rows[1]}\n`);
    expect(found).toContainEqual([2, "duplicate-row"]);
  });
  test("mended again, nothing changes", async () => {
    const { text } = await mend(`${chat("<s>\r")}\n${chat("<\\s>")}\n`);
    const again = await mend(text);
    expect([again.mended, again.text]).toEqual([{}, text]);
  });
  test("never replaces a file, and needs one file of lines", async () => {
    const place = files({ "a.jsonl": `${good}\n`, "b.parquet": "PAR1" });
    for (const [args, message] of [
      [["set/a.jsonl", "--fix", "set/a.jsonl"], "set/a.jsonl exists"],
      [["set", "--fix", "b.jsonl"], "one file of JSON lines"],
      [["set/a.jsonl", "set/a.jsonl", "--fix", "b.jsonl"], "one file of JSON lines"],
      [["set/b.parquet", "--fix", "b.jsonl"], "one file of JSON lines"],
      [["set/a.jsonl", "--fix", "b.json"], "ends in .jsonl"],
    ] as const) {
      const { code, stderr } = await place.runHere(["check", ...args]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(place.read("set", "a.jsonl")).toBe(`${good}\n`);
  });
});
