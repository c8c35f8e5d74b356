import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type PresetName, presets } from "../../src/presets/index.ts";
import { parseLines, workplace } from "../helpers/workplace.ts";

type Found = { rule: string; line?: number; severity: string; detail: string };

const user = { role: "user", content: "Hi." };
const assistant = { role: "assistant", content: "Hello." };
const system = { role: "system", content: "Be kind." };
const chat = (...messages: object[]): string => JSON.stringify({ messages });
const human = { from: "human", value: "Hi." };
const gpt = { from: "gpt", value: "Hello." };
const talk = (...conversations: object[]): string => JSON.stringify({ conversations });

/** A good row of each preset, which a broken one comes after. */
const GOOD: Record<PresetName, string> = {
  messages: chat(system, user, assistant),
  bailian: chat(user, assistant),
  "llama-factory": talk(human, gpt),
  "ms-swift": chat(user, assistant),
  axolotl: chat(user, assistant),
  trl: JSON.stringify({ prompt: [user], completion: [assistant] }),
  openai: chat(user, assistant),
  together: chat(user, assistant),
  sharegpt: talk(human, gpt),
  alpaca: JSON.stringify({ instruction: "Hi.", input: "", output: "Hello.", history: [["a", "b"]], system: "" }),
};

/** Rows that differ, because a copy is a finding. */
const many = (line: string, count: number): string =>
  Array.from({ length: count }, (_, index) => `${line.replace("Hi.", `Hi ${index}.`)}\n`).join("");

const check = async (text: string | Buffer, preset: PresetName, name = "train.jsonl") => {
  const place = workplace();
  writeFileSync(place.path(name), text);
  const { code, stdout, stderr } = await place.runHere(["check", name, "--preset", preset, "--json", "-v"]);
  expect(stderr).toBe("");
  const lines = parseLines<Found & { rows?: number }>(stdout);
  return { code, found: lines.slice(0, -1), report: lines.at(-1) };
};

const with3 = (message: object): object => ({ ...message, weight: 3 });
const tooLong = { role: "assistant", content: "<think>ok</think>Hello." };

const BROKEN: [rule: string, preset: PresetName, line: string][] = [
  ["not-json", "messages", '{"messages": ['],
  ["not-json", "messages", '{"a": NaN}'],
  ["not-an-object", "messages", "7"],
  ["lone-surrogate", "messages", chat(user, { role: "assistant", content: "a" }).replace('"a"', '"\\ud83e"')],
  ["no-messages", "messages", '{"messages": []}'],
  ["no-messages", "messages", '{"messages": ["Hi."]}'],
  ["no-messages", "trl", JSON.stringify({ prompt: "Hi.", completion: [assistant] })],
  ["extra-key", "messages", JSON.stringify({ messages: [user, assistant], id: "c" })],
  ["extra-key", "together", JSON.stringify({ messages: [user, assistant], id: "c" })],
  ["message-key", "messages", chat({ ...user, begin: 1 }, assistant)],
  ["message-key", "bailian", chat(user, { ...assistant, weight: 1 })],
  ["role", "messages", chat(user, { role: "tool", content: "x" }, assistant)],
  ["role", "sharegpt", talk({ from: "user", value: "Hi." }, gpt)],
  ["role", "bailian", chat({ role: "developer", content: "x" }, user, assistant)],
  ["content-type", "ms-swift", chat(user, { role: "assistant", content: null })],
  ["content-type", "messages", chat(user, { role: "assistant", content: [{ text: "a" }] })],
  ["empty-content", "messages", chat(user, { role: "assistant", content: " \n" })],
  ["empty-content", "bailian", chat({ role: "user", content: [{ text: "" }] }, assistant)],
  ["system-place", "messages", chat(user, assistant, system, user, assistant)],
  ["starts-with-assistant", "messages", chat(assistant, user, assistant)],
  ["starts-with-assistant", "llama-factory", talk(gpt, human, gpt)],
  ["alternation", "messages", chat(user, user, assistant)],
  ["alternation", "llama-factory", talk(human, gpt, gpt)],
  ["alternation", "together", chat(user, assistant, assistant)],
  ["control-token", "messages", chat(user, { role: "assistant", content: "Bye.<|im_end|>" })],
  ["control-token", "llama-factory", talk(human, { from: "gpt", value: "a <image> b" })],
  ["control-token", "alpaca", JSON.stringify({ instruction: "[INST]", output: "x" })],
  ["control-token", "bailian", chat(user, { role: "assistant", content: [{ text: "</s>" }] })],
  ["control-token", "openai", chat(user, { ...assistant, tool_calls: [{ id: "<eos>", function: { name: "f" } }] })],
  ["control-character", "messages", chat(user, { role: "assistant", content: "a\u0000b" })],
  ["control-character", "together", chat({ role: "user", content: "\u009f" }, assistant)],
  [
    "replacement-character",
    "trl",
    JSON.stringify({ prompt: [user], completion: [{ ...assistant, content: "\ufffd" }] }),
  ],
  ["carriage-return", "axolotl", chat({ role: "user", content: "a\r\nb" }, assistant)],
  ["no-assistant", "openai", chat(user)],
  ["ends-with-user", "llama-factory", talk(human, gpt, human)],
  ["ends-with-user", "messages", chat(user, assistant, user)],
  ["think-newlines", "bailian", chat(user, tooLong)],
  ["function-call", "llama-factory", talk(human, { from: "function_call", value: "track()" })],
  ["system-type", "llama-factory", JSON.stringify({ conversations: [human, gpt], system: 5 })],
  ["loss-value", "together", chat(user, with3(assistant))],
  ["loss-value", "openai", chat(user, { ...assistant, weight: true })],
  ["loss-value", "ms-swift", chat(user, { ...assistant, loss: 1 })],
  ["loss-place", "openai", chat({ ...user, weight: 1 }, { ...assistant, weight: 1 })],
  ["nothing-to-learn", "axolotl", chat({ ...user, train: false }, { ...assistant, train: false })],
  ["mixed-keys", "axolotl", chat({ ...user, train: false }, { ...assistant, train: true })],
  ["mixed-keys", "ms-swift", chat(user, { ...assistant, loss: true }, user, assistant)],
  ["greeting-trained", "axolotl", chat(assistant, user, assistant)],
  ["completion", "trl", JSON.stringify({ prompt: [user], completion: [user, assistant] })],
  ["tool-pairing", "openai", chat(user, { role: "tool", content: "1", tool_call_id: "a" }, assistant)],
  ["column-type", "axolotl", JSON.stringify({ messages: "Hi." })],
  ["no-instruction", "alpaca", JSON.stringify({ instruction: "", output: "x" })],
  ["no-output", "alpaca", JSON.stringify({ instruction: "x", output: null })],
  ["system-type", "alpaca", JSON.stringify({ instruction: "x", output: "x", system: 1 })],
  ["input-type", "alpaca", JSON.stringify({ instruction: "x", output: "x", input: [] })],
  ["history", "alpaca", JSON.stringify({ instruction: "x", output: "x", history: [["a"]] })],
];

/** Rules that are told otherwise below. */
const ELSEWHERE = ["interrupted-tag", "iso-time", "too-few-samples", "file-too-large"];

describe("a broken line", () => {
  test.each(BROKEN)("is found: %s in %s, %s", async (rule, preset, line) => {
    const good = GOOD[preset];
    const { code, found } = await check(`${good}\n${good}\n${line}\n${good}\n`, preset);
    const errors = found.filter(({ severity }) => severity === "error");
    expect(found).toContainEqual(expect.objectContaining({ rule, line: 3 }));
    expect(errors.filter((each) => each.line !== undefined).map((each) => each.line)).not.toContain(4);
    const isError = found.some((each) => each.rule === rule && each.severity === "error");
    expect(code).toBe(isError || errors.length > 0 ? 3 : 0);
  });
  test("of every rule is in this list", () => {
    const all = Object.values(presets).flatMap(({ rules }) => rules.map(({ id }) => id));
    expect([...new Set(all)].filter((id) => !ELSEWHERE.includes(id) && !BROKEN.some(([rule]) => rule === id))).toEqual(
      [],
    );
  });
});

describe("a good file", () => {
  test.each(Object.keys(GOOD) as PresetName[])("of %s has no errors", async (preset) => {
    const { code, found, report } = await check(many(GOOD[preset], 12), preset);
    expect(found.filter(({ severity }) => severity === "error")).toEqual([]);
    expect([code, report?.rows]).toEqual([0, 12]);
  });
  test("may be gzip, may have Windows line ends, and need not end its last line", async () => {
    const text = `${many(GOOD.messages, 2).replaceAll("\n", "\r\n")}${chat(user)}`;
    const { code, found } = await check(gzipSync(text), "messages", "train.jsonl.gz");
    expect(found.map(({ rule, line, severity }) => [rule, line, severity])).toEqual([
      ["no-assistant", 3, "error"],
      ["crlf", undefined, "warning"],
    ]);
    expect(code).toBe(3);
  });
});

describe("a file", () => {
  test.each<[string, string | Buffer, PresetName, [string, number | undefined][]]>([
    ["with a byte order mark", `\uFEFF${GOOD.messages}\n`, "messages", [["bom", 1]]],
    [
      "with bytes that are not UTF-8",
      Buffer.from(`${GOOD.messages}\n${chat(user, assistant)}\n`.replace("Hi.", "\xff"), "latin1"),
      "messages",
      [["not-utf8", 1]],
    ],
    ["without rows", "", "messages", [["no-rows", undefined]]],
    ["that is one JSON array", `[\n${GOOD.messages}\n]\n`, "messages", [["json-array", 1]]],
    ["that is one JSON array in one line", `[${GOOD.messages}]\n`, "messages", [["json-array", 1]]],
    ["with an empty line", `${many(GOOD.together, 2)}\n`, "together", [["blank-line", 3]]],
    ["of too few samples", `${GOOD.openai}\n`, "openai", [["too-few-samples", undefined]]],
  ])("%s is refused", async (_, text, preset, expected) => {
    const { code, found } = await check(text, preset);
    expect(found.map(({ rule, line }) => [rule, line])).toEqual(expected);
    expect(code).toBe(3);
  });
  test.each<[string, string, PresetName, string]>([
    ["with an empty line", `${GOOD.messages}\n\n${GOOD.messages}\n`, "messages", "blank-line"],
    ["of few samples", `${GOOD.bailian}\n`, "bailian", "too-few-samples"],
    [
      "with times in text",
      `${JSON.stringify({ ...JSON.parse(GOOD.trl), at: "2025-08-14T02:21:12Z" })}\n`,
      "trl",
      "iso-time",
    ],
    [
      "with the platform's tag",
      `${chat(user, { role: "assistant", content: "To<ims_agent_interrupted>day" })}\n`,
      "messages",
      "interrupted-tag",
    ],
  ])("%s is warned of", async (_, text, preset, rule) => {
    const { code, found } = await check(text, preset);
    expect(found).toContainEqual(expect.objectContaining({ rule, severity: "warning" }));
    expect(code).toBe(0);
  });
  test("whose gzip is cut short is checked up to there", async () => {
    const packed = gzipSync(many(chat(user), 20_000), { level: 0 });
    const { code, found } = await check(packed.subarray(0, packed.length - 200_000), "messages", "train.jsonl.gz");
    expect(found[0]).toMatchObject({ rule: "no-assistant", line: 1 });
    expect(found.at(-1)).toMatchObject({ rule: "broken-gzip" });
    expect(code).toBe(3);
  });
  test("larger than Model Studio accepts is refused", async () => {
    const row = chat(user, { role: "assistant", content: "x".repeat(2_000_000) });
    const { code, found } = await check(many(row, 101), "bailian");
    expect(found.map(({ rule }) => rule)).toEqual(["file-too-large", "too-few-samples"]);
    expect(code).toBe(3);
  });
});

describe("a control token", () => {
  const answer = (content: string): object => ({ role: "assistant", content });
  const count = async (preset: PresetName, line: string): Promise<number> =>
    (await check(`${line}\n`, preset)).found.filter(({ rule }) => rule === "control-token").length;
  test("belongs into an answer as thoughts at its beginning, and as a tool call", async () => {
    const call = '<tool_call>\n{"name": "track"}\n</tool_call>';
    for (const text of ["<think>\nHm.\n</think>\n\nHello.", `One moment.\n${call}\n${call}`, `<think>a</think>${call}`])
      expect([text, await count("messages", chat(user, answer(text)))]).toEqual([text, 0]);
    for (const text of [
      "<think>",
      "a <think>b</think>",
      "<think><|im_end|></think>a",
      "<tool_call>x</tool_call>",
      call.slice(12),
    ])
      expect([text, await count("messages", chat(user, answer(text)))]).toEqual([text, 1]);
    expect(await count("messages", chat({ role: "user", content: "<think>a</think>" }, assistant))).toBe(1);
  });
  test("for a file is right if the row names as many files", async () => {
    const row = (files: number) =>
      JSON.stringify({
        messages: [{ role: "user", content: "<image> and <image>" }, assistant],
        images: Array(files).fill("a.png"),
      });
    expect(await count("ms-swift", row(2))).toBe(0);
    expect(await count("ms-swift", row(1))).toBe(1);
    expect(await count("messages", row(2))).toBe(1);
  });
});

describe("what is printed", () => {
  const text = many(chat(user), 15);
  test("is one line per finding with its place, ten per rule, then the count and what the reader does", async () => {
    const place = workplace();
    writeFileSync(place.path("train.jsonl"), text);
    const { code, stdout } = await place.run(["check", "train.jsonl"]);
    const lines = stdout.split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "train.jsonl:1: error no-assistant: no turn of the assistant",
      "train.jsonl:2: error no-assistant: no turn of the assistant",
    ]);
    expect(lines.slice(10)).toEqual([
      "train.jsonl: 15 rows as messages (guessed from the rows; --preset sets it): 15 errors, 0 warnings",
      "  error  no-assistant  15  The row teaches nothing.",
      "",
    ]);
    expect(code).toBe(3);
    const all = await place.runHere(["check", "train.jsonl", "-v"]);
    expect(all.stdout.match(/^train\.jsonl:\d+:/gm)).toHaveLength(15);
  });
  test("never contains text of the conversation", async () => {
    const place = workplace();
    writeFileSync(
      place.path("t.jsonl"),
      `${JSON.stringify({ messages: [{ role: "user", content: "13800138000 <|13800138000|> \\0" }] })}\n{"x": 13800138000\n`,
    );
    const { stdout, stderr } = await place.runHere(["check", "t.jsonl", "-v"]);
    expect(stdout + stderr).not.toContain("138001");
  });
});

describe("without --preset", () => {
  test.each<[string, string]>([
    [GOOD.messages, "messages"],
    [chat({ ...user, train: false }, { ...assistant, train: true }), "axolotl"],
    [chat(user, { ...assistant, loss: true }), "ms-swift"],
    [chat(user, { ...assistant, weight: 1 }), "openai"],
    [chat(user, { role: "assistant", content: [{ text: "a" }] }), "bailian"],
    [GOOD.trl, "trl"],
    [GOOD.sharegpt, "sharegpt"],
    [JSON.stringify({ conversations: [human, gpt], system: "" }), "llama-factory"],
    [GOOD.alpaca, "alpaca"],
  ])("%s is taken for %s", async (line, preset) => {
    const place = workplace();
    writeFileSync(place.path("t.jsonl"), many(line, 10));
    const { code, stdout } = await place.runHere(["check", "t.jsonl", "--json"]);
    expect(parseLines(stdout).at(-1)).toMatchObject({ preset, guessed: true });
    expect(code).toBe(0);
  });
  test("an unknown shape is an error", async () => {
    const place = workplace();
    writeFileSync(place.path("t.jsonl"), '{"text":"a"}\n');
    const { code, stdout } = await place.runHere(["check", "t.jsonl"]);
    expect(stdout).toContain("t.jsonl:1: error unknown-shape: the first row");
    expect(code).toBe(3);
  });
});

describe("a folder", () => {
  const folder = (files: Record<string, string>) => {
    const place = workplace();
    mkdirSync(place.path("out"));
    for (const [name, text] of Object.entries(files)) writeFileSync(place.path("out", name), text);
    return async (preset: PresetName) => {
      const { code, stdout } = await place.runHere(["check", "out", "--preset", preset, "--json"]);
      const found = parseLines<Found & { file: string }>(stdout).filter(({ rule }) => rule !== undefined);
      return { code, found: found.map(({ file, rule, severity, detail }) => [file, severity, rule, detail]) };
    };
  };
  let made = 0;
  /** Never the same rows twice. */
  const rows = (line: string): string => {
    made += 1;
    return many(line.replace("Hi.", `Hi ${made} Hi.`), 3);
  };
  const README = "---\nconfigs:\n- config_name: default\n  data_files: []\n---\n";

  test("of good splits has no errors", async () => {
    const run = folder({
      "train.jsonl": rows(GOOD.messages),
      "val.jsonl": rows(GOOD.messages),
      "README.md": README,
      "report.json": "{}",
    });
    expect(await run("messages")).toEqual({ code: 0, found: [] });
  });
  test("with an empty split would crash its reader", async () => {
    const run = folder({ "train.jsonl": rows(GOOD.messages), "test.jsonl": "", "README.md": README });
    expect(await run("messages")).toEqual({
      code: 3,
      found: [["out/test.jsonl", "error", "no-rows", "the file has no rows"]],
    });
  });
  test("with stray files: they are reported, unless README.md declares the splits", async () => {
    const files = { "train.jsonl": rows(GOOD.messages), "my-eval-2.jsonl": rows(GOOD.messages), "manifest.json": "{}" };
    expect(await folder(files)("messages")).toEqual({
      code: 3,
      found: [
        ["out/manifest.json", "warning", "stray-file", "is read as data"],
        ["out/my-eval-2.jsonl", "error", "stray-file", 'is read as a split, because its name contains "eval"'],
      ],
    });
    expect(await folder({ ...files, "README.md": README })("messages")).toEqual({ code: 0, found: [] });
    expect((await folder(files)("together")).code).toBe(0);
  });
  test("with keys in test that train does not have would crash its reader", async () => {
    const masked = chat(user, { ...assistant, loss: true });
    const run = folder({ "train.jsonl": rows(GOOD["ms-swift"]), "test.jsonl": rows(masked), "README.md": README });
    expect(await run("ms-swift")).toEqual({
      code: 3,
      found: [["out/test.jsonl", "error", "columns-differ", "has messages[].loss, which train does not have"]],
    });
  });
  test("of alpaca with history in test alone would crash its reader", async () => {
    const first = JSON.stringify({ ...JSON.parse(GOOD.alpaca), history: [] });
    const run = folder({ "train.jsonl": rows(first), "test.jsonl": rows(GOOD.alpaca), "README.md": README });
    expect(await run("alpaca")).toEqual({
      code: 3,
      found: [["out/test.jsonl", "error", "columns-differ", "history has items, but is always empty in train"]],
    });
    const shards = { "train-00000-of-00002.jsonl": rows(first), "train-00001-of-00002.jsonl": rows(GOOD.alpaca) };
    expect(await folder({ ...shards, "test.jsonl": rows(GOOD.alpaca) })("alpaca")).toEqual({ code: 0, found: [] });
  });
  test("for LLaMA-Factory needs dataset_info.json, with all of its tags", async () => {
    const train = rows(GOOD["llama-factory"]);
    const files = [{ split: "train", name: "train.jsonl" }];
    const good = presets["llama-factory"].sidecars?.(files)[0]?.text ?? "";
    expect(await folder({ "train.jsonl": train, "dataset_info.json": good })("llama-factory")).toEqual({
      code: 0,
      found: [],
    });
    const details = async (info: string) =>
      (await folder({ "train.jsonl": train, "dataset_info.json": info })("llama-factory")).found.map((each) => each[3]);
    expect(await details("nope")).toEqual(["is not JSON"]);
    expect(await details(good.replace("sharegpt", "openai"))).toEqual([
      expect.stringContaining("appends text to the system prompt"),
    ]);
    expect(await details(good.replace('"user_tag"', '"user"'))).toEqual([
      expect.stringContaining("lacks the tags user_tag"),
    ]);
    expect(await details(good.replace("train.jsonl", "else.jsonl"))).toEqual([
      expect.stringContaining('names "else.jsonl", which is not in the folder'),
    ]);
    expect(await folder({ "train.jsonl": train })("llama-factory")).toMatchObject({
      code: 3,
      found: [["out/dataset_info.json", "error", "dataset-info", "does not exist"]],
    });
  });
  test("with a folder per preset is checked folder by folder, each by the preset of its name", async () => {
    const place = workplace();
    for (const name of ["together", "trl"] as const) {
      mkdirSync(place.path("sets", name), { recursive: true });
      writeFileSync(place.path("sets", name, "train.jsonl"), rows(GOOD[name]));
    }
    const { code, stdout } = await place.runHere(["check", "sets", "--json"]);
    expect(parseLines(stdout)).toMatchObject([
      { file: "sets/together/train.jsonl", preset: "together" },
      { file: "sets/trl/train.jsonl", preset: "trl" },
    ]);
    expect(code).toBe(0);
  });
});

describe("a wrong command line ends with exit 2", () => {
  test.each<[string[], string]>([
    [["check", "nowhere.jsonl"], "nowhere.jsonl does not exist."],
    [["check", "."], ". contains no .jsonl or .parquet files."],
    [["check", "t.csv"], "check reads only JSON lines"],
    [["check", ".", "--preset", "nobody"], 'There is no preset "nobody"'],
    [["check"], "missing required argument"],
  ])("%j", async (args, message) => {
    const place = workplace();
    writeFileSync(place.path("t.csv"), "a,b");
    const { code, stdout, stderr } = await place.runHere(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });
});

test("what export writes passes", async () => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 30 });
  expect((await place.run(["export", ...cloud.ids(), "-f", "messages", "-o", "out/messages.jsonl"])).code).toBe(0);
  const { code, stdout } = await place.runHere(["check", "out/messages.jsonl", "--preset", "messages"]);
  expect(stdout).toMatch(/^out\/messages.jsonl: \d+ rows as messages: 0 errors, 0 warnings\n$/);
  expect(code).toBe(0);
});
