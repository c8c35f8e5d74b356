import { readdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Workplace, workplace } from "../helpers/workplace.ts";

const SPLITS = ["--split", "train=0.8,validation=0.2"];

/** A call of exchanges: what the caller says and what the agent answers. */
const dialogOf = (exchanges: readonly (readonly [string, string])[]) =>
  exchanges.flatMap(([asked, answered], at) => [
    { id: 2 * at + 1, begin: 2 * at + 1, role: "user", type: "normal", text: asked },
    { id: 2 * at + 2, begin: 2 * at + 2, role: "agent", type: "normal", text: answered },
  ]);

interface Call {
  exchanges: readonly (readonly [string, string])[];
  remoteUserId?: string;
}

/** An archive of these calls, by id. */
const archived = async (calls: Readonly<Record<string, Call>>, order = Object.keys(calls)) => {
  const place = workplace();
  const cloud = await place.cloud({ calls: 0 });
  for (const [at, [id, { exchanges, ...call }]] of Object.entries(calls).entries())
    cloud.add({
      id,
      body: JSON.stringify({ ...call, dialog: dialogOf(exchanges) }),
      start: new Date(Date.UTC(2025, 6, 1, 0, at)),
    });
  // One after the other, so that the archive numbers them in this order.
  for (const id of order) expect((await place.runHere(["pull", id])).code).toBe(0);
  return place;
};

const GREETINGS = ["你好，我想问一下快递", "我的包裹还没有收到", "Where is my parcel please"];
const ANSWERS = [
  "好的，请您提供一下订单号码，我来为您查询",
  "请稍等，我帮您看一下现在到哪里了",
  "Please tell me the order number",
];
const THINGS = [
  "冰箱坏了要修理",
  "空调不制冷了",
  "洗衣机漏水严重",
  "电视没有声音",
  "路由器连不上网",
  "手机屏幕碎了",
  "台灯不亮了",
  "键盘按键失灵",
];

/** Calls that begin alike and end differently, so that only their first rows are copies. */
const openings = (count: number): Record<string, Call> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at): [string, Call] => {
      const own = THINGS[at % THINGS.length] ?? "";
      const more = `${own}，${[...own].reverse().join("")}${String.fromCodePoint(0x4e00 + 37 * at)}`.repeat(6);
      return [
        `call${String(at).padStart(3, "0")}`,
        {
          exchanges: [
            [GREETINGS[at % 3] ?? "", ANSWERS[at % 3] ?? ""],
            [more, `${more.slice(3)}已经记录${at}`],
          ],
        },
      ];
    }),
  );

const linesOf = (place: Workplace, folder: string, split: string): string[] =>
  readdirSync(place.path(folder))
    .filter((name) => name.startsWith(split) && name.endsWith(".jsonl"))
    .flatMap((name) => place.read(folder, name).trim().split("\n"));

interface Dropped {
  conversation: string;
  id: string;
  unit?: string;
  preset?: string;
  step: string;
  reason: string;
  of?: string;
}
const dropped = (place: Workplace, folder: string): Dropped[] => place.rows<never>(folder, "dropped.ndjson");
const conversations = (place: Workplace, folder: string, split?: string): string[] => [
  ...new Set(
    place
      .rows<{ conversation: string; split: string }>(folder, "provenance.ndjson")
      .filter((line) => split === undefined || line.split === split)
      .map(({ conversation }) => conversation),
  ),
];

describe("copies of samples", () => {
  test.each([
    ["trl", ["--preset", "trl"]],
    ["--expand turn", ["--preset", "ms-swift", "--expand", "turn"]],
    [
      "shuffled, with near copies dropped",
      ["--preset", "axolotl", "--expand", "turn", "--shuffle", "--dedupe", "near"],
    ],
  ])("are found after expansion: no row twice, and none in two splits (%s)", async (_, args) => {
    const place = await archived(openings(40));
    await place.runHere(["dataset", ...args, ...SPLITS, "--dedupe", "none", "-o", "all"]);
    const before = [...linesOf(place, "all", "train"), ...linesOf(place, "all", "validation")];
    expect(before.length - new Set(before).size).toBe(37);
    const seen = new Set(linesOf(place, "all", "train"));
    expect(linesOf(place, "all", "validation").filter((line) => seen.has(line)).length).toBeGreaterThan(3);

    expect((await place.runHere(["dataset", ...args, ...SPLITS, "-o", "set"])).code).toBe(0);
    const rows = [...linesOf(place, "set", "train"), ...linesOf(place, "set", "validation")];
    expect(rows.length - new Set(rows).size).toBe(0);
    const lost = dropped(place, "set").filter(({ step }) => step === "dedupe");
    expect(lost.length + rows.length).toBe(before.length);
    // Each is named with the row that stayed.
    const kept = new Set(place.rows<{ id: string }>("set", "provenance.ndjson").map(({ id }) => id));
    for (const { unit, of, reason } of lost)
      expect([unit, kept.has(of ?? ""), /^(exact|near)-duplicate(-across-splits)?$/.test(reason)]).toEqual([
        "turn",
        true,
        true,
      ]);
    const report = JSON.parse(place.read("set", "report.json"));
    const counted = (report.lost as { step: string; samples: number }[]).filter(({ step }) => step === "dedupe");
    expect(counted.reduce((sum, { samples }) => sum + samples, 0)).toBe(lost.length);
    expect(counted.length).toBeGreaterThan(1);
  });

  test("do not depend on the order in which calls were pulled", async () => {
    const calls = openings(24);
    const args = ["dataset", "--preset", "trl", "--dedupe", "near", ...SPLITS, "-o", "set"];
    const sets: string[] = [];
    for (const order of [Object.keys(calls), Object.keys(calls).toReversed()]) {
      const place = await archived(calls, order);
      expect((await place.runHere(args)).code).toBe(0);
      sets.push(
        ["train.jsonl", "provenance.ndjson", "dropped.ndjson"].map((name) => place.read("set", name)).join("\n"),
      );
    }
    expect(sets[0]).toBe(sets[1]);
  });

  test("a preset has the same rows beside others as alone", async () => {
    const place = await archived(openings(30));
    await place.runHere(["dataset", "--preset", "trl", "-o", "alone"]);
    await place.runHere(["dataset", "--preset", "messages,trl", "-o", "beside"]);
    expect(place.read("beside", "trl", "train.jsonl")).toBe(place.read("alone", "train.jsonl"));
  });

  test("samples that a budget cuts to the same rest are copies, too", async () => {
    const long = "这是一个非常长的回答".repeat(40);
    const place = await archived(
      Object.fromEntries(
        Array.from({ length: 4 }, (_, at): [string, Call] => [
          `call${at}`,
          {
            exchanges: [
              ["你好", "您好，请讲"],
              [THINGS[at] ?? "", long + at],
            ],
          },
        ]),
      ),
    );
    const { TEMPLATE, TOKENIZER } = await import("../helpers/tokenizer.ts");
    writeFileSync(place.path("tokenizer.json"), JSON.stringify(TOKENIZER));
    writeFileSync(place.path("tokenizer_config.json"), JSON.stringify({ chat_template: TEMPLATE }));
    const budget = ["--max-tokens", "200", "--tokenizer", "tokenizer.json", "--over-budget", "cut", "--system", "none"];
    await place.runHere(["dataset", ...budget, "--split", "train=1", "-o", "set"]);
    const rows = linesOf(place, "set", "train");
    expect(rows.length - new Set(rows).size).toBe(0);
    expect(dropped(place, "set").map(({ reason }) => reason)).toEqual([
      "exact-duplicate",
      "exact-duplicate",
      "exact-duplicate",
    ]);
  });
});

describe("near copies", () => {
  const ask = (words: string): Call => ({
    exchanges: [[words, "好的，我已经为您登记了上门维修的服务，师傅会在两个工作日之内与您电话联系，请保持手机畅通"]],
  });
  const pairs: [string, string, string][] = [
    [
      "a phone number",
      "我家空调坏了不制冷，麻烦安排师傅上门看看，我的电话是13812345678",
      "我家空调坏了不制冷，麻烦安排师傅上门看看，我的电话是15998761234",
    ],
    [
      "a spoken number",
      "我家空调坏了不制冷，我的电话是幺三八零零幺二三四五六，请安排一下",
      "我家空调坏了不制冷，我的电话是幺五九七七六六八八九九，请安排一下",
    ],
    [
      "a name",
      "你好我叫王小明，我家空调坏了不制冷，麻烦安排师傅上门看看",
      "你好我叫李雪，我家空调坏了不制冷，麻烦安排师傅上门看看",
    ],
    [
      "a placeholder",
      "我家空调坏了不制冷，我的电话是<PHONE_1>，请安排一下",
      "我家空调坏了不制冷，我的电话是13812345678，请安排一下",
    ],
  ];
  test.each(pairs)("are calls that differ in %s", async (_, one, other) => {
    const place = await archived({ a: ask(one), b: ask(other) });
    await place.runHere(["dataset", "--dedupe", "near", "--split", "train=1", "-o", "set"]);
    expect(dropped(place, "set")).toEqual([
      { conversation: "b", id: "b", step: "dedupe", reason: "near-duplicate", of: "a" },
    ]);
  });

  test("--dedupe-threshold says how similar they are", async () => {
    const common = "我家空调坏了不制冷麻烦安排师傅上门看看谢谢你们的帮助请尽快处理这件事情";
    const place = await archived({
      a: ask(`${common}昨天下午开始就一直发出很大的噪音邻居也来投诉`),
      b: ask(`${common}今早起来发现地板上全是水孩子差点滑倒受伤`),
    });
    const lost = async (...flags: string[]): Promise<number> => {
      await place.runHere(["dataset", "--dedupe", "near", "--split", "train=1", ...flags, "-o", "set"]);
      return dropped(place, "set").length;
    };
    expect([await lost(), await lost("--dedupe-threshold", "0.5"), await lost("--dedupe-threshold", "1")]).toEqual([
      0, 1, 0,
    ]);
    for (const wrong of ["0.4", "1.1", "x"])
      expect((await place.runHere(["dataset", "--dedupe-threshold", wrong, "-o", "set"])).code).toBe(2);
  });
});

describe("--split-by", () => {
  const calls = Object.fromEntries(
    Array.from({ length: 60 }, (_, at): [string, Call] => [
      `call${String(at).padStart(2, "0")}`,
      {
        exchanges: [
          [
            `${THINGS[at % 8]}${String.fromCodePoint(0x4e00 + 91 * at).repeat(9)}`,
            `知道了${String.fromCodePoint(0x5e00 + 53 * at).repeat(12)}`,
          ],
        ],
        remoteUserId:
          at % 2
            ? `+86 138001380${String(at % 12).padStart(2, "0")}`
            : `138001380${String((at + 1) % 12).padStart(2, "0")}`,
      },
    ]),
  );
  const SHARES = ["--split", "train=0.5,test=0.5"];

  test("caller keeps all calls of a person in one split, however the number is written, also when it is redacted", async () => {
    const place = await archived(calls);
    const person = (id: string): number => {
      const at = Number(id.slice(4));
      return at % 2 ? at % 12 : (at + 1) % 12;
    };
    const straddling = (folder: string): number => {
      const [train, test] = ["train", "test"].map((split) => new Set(conversations(place, folder, split).map(person)));
      return [...(train ?? [])].filter((each) => test?.has(each)).length;
    };
    await place.runHere(["dataset", ...SHARES, "-o", "plain"]);
    expect(straddling("plain")).toBeGreaterThan(0);
    await place.runHere(["dataset", ...SHARES, "--split-by", "caller", "-o", "set"]);
    await place.runHere(["dataset", ...SHARES, "--split-by", "caller", "--redact", "all", "-o", "redacted"]);
    expect([straddling("set"), straddling("redacted")]).toEqual([0, 0]);
    expect(conversations(place, "redacted", "test")).toEqual(conversations(place, "set", "test"));
    expect(place.read("set", "README.md")).toContain("All calls of a caller are in one split");
    for (const name of readdirSync(place.path("set")))
      expect([name, place.read("set", name).includes("1380013")]).toEqual([name, false]);
  });
});

describe("--exclude", () => {
  const evaluation = "请问一下我的社保卡丢了应该去哪里补办需要带什么材料";
  const answer = "您需要带上身份证原件到就近的社保服务中心办理补卡手续当天就能拿到";
  const calls: Record<string, Call> = {
    same: { exchanges: [[evaluation, answer]] },
    inside: {
      exchanges: [
        ["你好，我想咨询一下", "您好请讲"],
        [evaluation, answer],
        ["好的谢谢你，再见", "再见，祝您生活愉快"],
      ],
    },
    near: { exchanges: [[`嗯${evaluation}呢`, answer]] },
    other: { exchanges: [["我家空调坏了不制冷", "好的，已经为您登记维修"]] },
  };
  const excluding = async (name: string, content: string | Uint8Array, ...flags: string[]) => {
    const place = await archived(calls);
    writeFileSync(place.path(name), content);
    const ran = await place.runHere([
      "dataset",
      "--dedupe",
      "none",
      "--system",
      "none",
      "--exclude",
      name,
      ...flags,
      "-o",
      "set",
    ]);
    return { place, ran };
  };
  const messages = [
    { role: "system", content: "别的提示" },
    { role: "user", content: evaluation },
    { role: "assistant", content: answer },
  ];
  const rowsOf: [string, string | Uint8Array][] = [
    ["messages.jsonl", `${JSON.stringify({ messages })}\n`],
    ["trl.jsonl", `\n${JSON.stringify({ prompt: messages.slice(0, 2), completion: messages.slice(2) })}\n`],
    [
      "sharegpt.jsonl",
      JSON.stringify({
        conversations: [
          { from: "human", value: evaluation },
          { from: "gpt", value: answer },
        ],
      }),
    ],
    ["alpaca.jsonl.gz", gzipSync(JSON.stringify({ instruction: evaluation, input: "", output: answer }))],
    ["table.csv", `question,answer\n"${evaluation}","${answer}"\n`],
    ["cells.csv", `id,messages\n1,"${JSON.stringify(messages).replaceAll('"', '""')}"\n`],
    ["texts.txt", `${evaluation}\n`],
  ];
  test.each(rowsOf)(
    "leaves out what is in %s: the same, nearly the same, and inside a longer call",
    async (name, content) => {
      const { place, ran } = await excluding(name, content);
      expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
      expect(conversations(place, "set")).toEqual(["other"]);
      const row = `${name}:${name === "trl.jsonl" ? 2 : 1}`;
      expect(dropped(place, "set").map(({ id, step, of }) => [id, step, of])).toEqual(
        ["same", "inside", "near"].map((id) => [id, "exclude", row]),
      );
      const exact = dropped(place, "set").filter(({ reason }) => reason === "exact-match");
      expect(exact.map(({ id }) => id)).toEqual(name === "texts.txt" ? [] : ["same"]);
      const { excluded } = JSON.parse(place.read("set", "report.json"));
      expect(excluded).toEqual([{ file: name, rows: name === "trl.jsonl" ? 2 : 1, found: 1, samples: 3 }]);
      expect(place.read("set", "README.md")).toContain("samples left out");
    },
  );

  test("reads the Parquet files and the rows of turns that it writes itself", async () => {
    const place = await archived(calls);
    await place.runHere(["dataset", "--parquet", "--preset", "trl", "--split", "train=1", "same", "-o", "eval"]);
    const args = ["dataset", "--preset", "trl", "--dedupe", "none", "--exclude", "eval/train.parquet", "-o", "set"];
    expect((await place.runHere(args)).code).toBe(0);
    expect(
      new Set(
        dropped(place, "set")
          .filter(({ unit }) => unit)
          .map(({ id }) => id),
      ),
    ).toEqual(new Set(["same#1", "near#1", "inside#2", "inside#3"]));
  });

  test.each<[string, string, string]>([
    ["broken.jsonl", '{"messages": [', "line 1 is not JSON"],
    ["empty.jsonl", "", "has no row with text"],
    ["blank.csv", "question,answer\n", "has no row with text"],
    ["no.parquet", "PAR1", "no readable Parquet file"],
  ])("refuses %s, because rows that are not read would not be excluded", async (name, content, message) => {
    const { ran } = await excluding(name, content);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
