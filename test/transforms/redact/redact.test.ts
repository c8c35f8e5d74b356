import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { JsonObject, Transcript } from "../../../src/core/transcript.ts";
import { createRedactor, REDACT_CATEGORIES, type Redactor } from "../../../src/transforms/redact/index.ts";
import { SOAK } from "../../helpers/soak.ts";
import { callOf, redactText } from "./corpus.ts";

let redact: Redactor;
beforeAll(async () => {
  redact = await createRedactor({ categories: REDACT_CATEGORIES });
});
const said = (...texts: string[]): string[] => redact(callOf(...texts)).transcript.turns.map(({ text }) => text);

describe("placeholders", () => {
  it("are one number for one value, however it is said, and the next for the next", () => {
    expect(
      said(
        "我的手机是幺三八零零幺三八零零零",
        "您的手机是138-0013-8000，对吗？",
        "对，+86 13800138000，还有15912345678",
        "one three eight, oh oh one three, eight triple oh?",
        "邮箱zhangsan艾特qq点com，就是ZhangSan@qq.com",
      ),
    ).toEqual([
      "我的手机是<PHONE_1>",
      "您的手机是<PHONE_1>，对吗？",
      "对，<PHONE_1>，还有<PHONE_2>",
      "<PHONE_1>?",
      "邮箱<EMAIL_1>，就是<EMAIL_1>",
    ]);
  });
  it("start again with each call", () => {
    expect(said("15912345678")).toEqual(["<PHONE_1>"]);
    expect(said("13800138000")).toEqual(["<PHONE_1>"]);
  });
  it("go on after those that stand there already", () => {
    expect(said("<PHONE_1>和<PHONE_7>", "打13800138000")).toEqual(["<PHONE_1>和<PHONE_7>", "打<PHONE_8>"]);
  });
  it("are counted by category, without any value", () => {
    const { counts } = redact(callOf("13800138000，13800138000，a@b.com", "192.168.1.1"));
    expect(counts).toEqual({ phone: 2, email: 1, ip: 1 });
  });
});

describe("a redaction", () => {
  it("looks only for what it is asked to", async () => {
    const text = "13800138000 a@qq.com https://a.com/13800138000";
    expect(redactText(await createRedactor({ categories: ["email"] }), text)).toBe(
      "13800138000 <EMAIL_1> https://a.com/13800138000",
    );
    expect(redactText(await createRedactor({ categories: ["phone"] }), text)).toBe(
      "<PHONE_1> a@qq.com https://a.com/<PHONE_1>",
    );
    expect(redactText(await createRedactor({ categories: [] }), text)).toBe(text);
  });
  it("replaces finds that overlap as one, named after the longest", () => {
    expect(redactText(redact, "13800138000@139.com")).toBe("<EMAIL_1>");
    expect(redactText(redact, "https://a.com/?p=13800138000&ip=10.1.2.3 好")).toBe("<URL_1> 好");
  });
  it("gives back the very transcript where there is nothing to find", () => {
    const call = callOf("您好", "订单号 20250814123456789");
    expect(redact(call).transcript).toBe(call);
    expect(redact(call).counts).toEqual({});
  });
  it("reaches every text of a call, and nothing else", () => {
    const call: Transcript = {
      ...callOf("打13800138000"),
      id: "13800138000",
      sessionId: "13800138000",
      participants: { agentUserId: "13800138000", caller: "+8613800138000", callee: "075526001234" },
      system: "Forward to 13800138000.",
      userData: { phone: "138 0013 8000", n: 13800138000, deep: [{ "13800138000": ["a@b.com", null, true] }] },
      media: [{ kind: "recording", path: "media/13800138000.wav", sha256: "00", bytes: 1 }],
      provenance: { records: [{ source: "callbacks", id: "13800138000", sha256: "00", bytes: 1 }] },
      extra: { note: "E12345678" },
    };
    const [turn] = call.turns;
    if (turn === undefined) throw new Error("no turn");
    turn.reasoning = "caller is 13800138000";
    turn.data = [{ 电话13800138000: "13800138000", n: 13800138000 }];
    turn.extra = { raw: "幺三八零零幺三八零零零" };
    turn.toolCalls = [
      { id: "13800138000", name: "dial", arguments: '{"to": 13800138000, "note":"\\n13800138000", "n": 1.50}' },
      { id: "2", name: "dial", arguments: "to=13800138000" },
    ];
    const before = JSON.stringify(call);
    const { transcript, counts } = redact(call);
    expect(JSON.stringify(call)).toBe(before);
    expect(transcript).toMatchObject({
      id: "13800138000",
      sessionId: "13800138000",
      // Of a phone call the user's id is the number.
      participants: { agentUserId: "<PHONE_1>", caller: "<PHONE_1>", callee: "<PHONE_2>" },
      system: "Forward to <PHONE_1>.",
      userData: { phone: "<PHONE_1>", n: 13800138000, deep: [{ "<PHONE_1>": ["<EMAIL_1>", null, true] }] },
      media: call.media,
      provenance: call.provenance,
      extra: { note: "<PASSPORT_1>" },
    });
    expect(transcript.turns[0]).toMatchObject({
      text: "打<PHONE_1>",
      reasoning: "caller is <PHONE_1>",
      data: [{ "电话<PHONE_1>": "<PHONE_1>", n: 13800138000 }],
      extra: { raw: "<PHONE_1>" },
      toolCalls: [
        { id: "13800138000", name: "dial", arguments: '{"to": "<PHONE_1>", "note":"\\n<PHONE_1>", "n": 1.50}' },
        { id: "2", name: "dial", arguments: "to=<PHONE_1>" },
      ],
    });
    expect(counts).toEqual({ phone: 14, email: 1, passport: 1 });
  });
});

describe("a number dictated over several turns", () => {
  it("is found across acknowledgements and echoes", () => {
    expect(said("我的号码是幺三八", "嗯", "零零幺三", "好的，请继续", "八零零零")).toEqual([
      "我的号码是<PHONE_1>",
      "嗯",
      "<PHONE_1>",
      "好的，请继续",
      "<PHONE_1>",
    ]);
    expect(said("幺三八", "幺三八，", "零零幺三", "零零幺三对吧", "八零零零，谢谢")).toEqual([
      "<PHONE_1>",
      "<PHONE_1>，",
      "<PHONE_1>",
      "<PHONE_1>对吧",
      "<PHONE_1>，谢谢",
    ]);
    expect(said("it's four one five", "okay", "five five five", "uh huh", "zero one three two")).toEqual([
      "it's <PHONE_1>",
      "okay",
      "<PHONE_1>",
      "uh huh",
      "<PHONE_1>",
    ]);
    expect(said("身份证幺幺零幺零五", "嗯嗯", "幺九四九幺二三幺", "好", "零零二X").join("|")).toBe(
      "身份证<ID_CARD_1>|嗯嗯|<ID_CARD_1>|好|<ID_CARD_1>",
    );
  });
  it.each([
    [["一共三个", "好的", "两百块"]],
    [["订单号是二零二五", "嗯", "零八幺四幺二三四五六七"]],
    [["幺三八", "您说的是什么意思？", "零零幺三八零零零"]],
    [["尾号八零零零", "好的", "验证码是六六零二幺八"]],
    [["幺三八零零幺三", "嗯", "八零零"]],
  ])("is not made up from %j", (texts) => {
    expect(said(...texts)).toEqual(texts);
  });
});

describe("redacting", () => {
  const atom = fc.constantFrom(
    ..."0123456789零幺两八，、 .-@:/xX+()<>_".split(""),
    ..."13800138000|幺三八|a@b.com|at|dot|one|double|three|<PHONE_1>|\ud800|京A|E1|护照|嗯|订单号|http://|4111111111111111".split(
      "|",
    ),
    "3个",
    "\0",
    ..."\u200b|\ufe0f\u20e3|<ims_agent_interrupted>|我叫|王|先生|姓|张三|my name is|mr|John|路|12号|小区|3栋|502|12 Oak|Street|微信|a_1|十|百|勾|/|第|个|身份证号是|卡号是|呃".split(
      "|",
    ),
  );
  const text = fc.oneof(
    fc.array(atom, { maxLength: 40 }).map((atoms) => atoms.join("")),
    fc.string({ unit: "binary" }),
  );
  const call = fc.record({ texts: fc.array(text, { maxLength: 6 }), data: fc.json({ maxDepth: 3 }) });

  it("never throws, and twice is the same as once", async () => {
    const patterns = [
      { name: "any", pattern: /[a-z]*|.1+/u },
      { name: "all", pattern: /住.*号/ },
    ];
    const odd = await createRedactor({ categories: ["phone", "ip"], patterns });
    fc.assert(
      fc.property(call, ({ texts, data }) => {
        for (const redactor of [redact, odd]) {
          const given: Transcript = { ...callOf(...texts), extra: { data: JSON.parse(data) } as JsonObject };
          const once = redactor(given);
          const twice = redactor(once.transcript);
          expect(twice.transcript).toEqual(once.transcript);
          expect(twice.counts).toEqual({});
        }
      }),
      { numRuns: 2000 },
    );
  });
  it
    .runIf(SOAK)
    .each([
      "1",
      "1 ",
      "1点",
      "幺",
      "嗯",
      "@",
      "a@a.",
      "a.",
      "www.",
      "oh at ",
      "E1",
      "护照 ",
      "1, ",
      "13800138000 ",
      "three five ",
      "我叫",
      "我是",
      "先生",
      "王先生",
      "张",
      "姓王",
      "my name is ",
      "name ",
      "mr ",
      "Mr. Anna ",
      "this is anna ",
      "路1号",
      "中",
      "中路",
      "小区1栋",
      "1号楼1单元",
      "区，",
      "村一组",
      "12 main ",
      "12 main street ",
      "main street ",
      "twenty two ",
      "street, Apt 1 ",
      "微信",
      "微信 a ",
      "微信号是a_",
      "张三艾特",
      "川A 呃 ",
      "川A，1，",
      "新a",
      "um ",
      "护照 G，",
      "护照 呃 1 ",
      "G 1 ",
      "一百九十二点",
      "one ninety two dot ",
      "one hundred and ",
      "十点",
      "身份证号是",
      "卡号是 ",
      "身份证号是 1 ",
      "一个幺",
      "勾",
      "1/",
      "1\ufe0f\u20e3",
      "1\u200b",
      "\u200b",
      "1<ims_agent_interrupted>",
      "幺<ims_agent_interrupted>",
    ])("takes a time that grows with the text: %j over and over", (piece) => {
    // The slowest takes 0.15 s; anything quadratic takes minutes.
    const started = performance.now();
    redact(callOf(piece.repeat(100_000 / piece.length)));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
  it("takes hundreds of thousands of finds in one text", () => {
    const { counts } = redact(callOf("t.cn ".repeat(300_000)));
    expect(counts).toEqual({ url: 300_000 });
  });
});
