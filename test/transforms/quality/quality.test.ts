import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Turn } from "../../../src/core/transcript.ts";
import { brokenRule, parseQuality, shownQuality } from "../../../src/transforms/quality/quality.ts";
import { QUALITY_RULE_NAMES, type QualityRuleName } from "../../../src/transforms/quality/rule-names.ts";

/** A dialog: lines of the agent begin with "A:", those of the caller with "U:". */
const dialog = (...lines: string[]): { turns: Turn[] } => ({
  turns: lines.map((line, at) => ({
    id: String(at + 1),
    role: line.startsWith("A:") ? "agent" : "user",
    kind: at === 0 ? "greeting" : "normal",
    text: line.slice(2).trim(),
  })),
});

const all = parseQuality(true);
const only = (name: QualityRuleName, ...lines: string[]) =>
  brokenRule(dialog(...lines), parseQuality(false, [name]) ?? new Map());
const any = (...lines: string[]) => brokenRule(dialog(...lines), all ?? new Map());

const times = (n: number, line: string): string[] => Array.from({ length: n }, () => line);

/** Conversations that each rule drops. */
const BAD: Record<QualityRuleName, [what: string, ...lines: string[]][]> = {
  "hang-up": [
    ["nobody speaks", "A: 您好，请问有什么可以帮您？"],
    ["only hello", "A: 您好，这里是客服中心。", "U: 喂？喂，你好", "A: 您好，请讲。"],
    ["only a filler", "A: Hello, how can I help?", "U: Um...", "A: Are you still there?"],
    ["hello and goodbye", "A: Hi, this is Acme.", "U: Hello?", "A: Hello, how can I help?", "U: Goodbye."],
    ["a wrong number", "A: 您好，这里是客服中心。", "U: 呃，打错了。", "A: 没关系，再见。"],
  ],
  "one-word": [
    ["yes and no", "A: 您要退货吗？", "U: 是的", "A: 收到了吗？", "U: 嗯。", "A: 有破损吗？", "U: 没有", "A: 好的。"],
    ["English", "A: Is it new?", "U: Yes.", "A: Blue?", "U: No", "A: Red?", "U: okay", "A: Done."],
  ],
  gibberish: [
    [
      "lost characters",
      "A: 您好，请讲。",
      "U: \ufffd\ufffd\ufffd我\ufffd\ufffd\ufffd\ufffd要\ufffd\ufffd",
      "A: 好的，您说。",
    ],
    ["wrong encoding", "A: 锟斤拷锟斤拷锟斤拷锟斤拷", "U: 锟斤拷退货锟斤拷锟斤拷", "A: 好"],
    ["Latin-1", "A: Ã¤Â½Â Ã¥Â¥Â½", "U: Ã¦ÂÂÃ¨Â¦Â", "A: Ã¥Â¥Â½Ã§ÂÂ"],
    ["keys at random", "A: Yes?", "U: xkcdqwrtz bvcxnmlkj qwrtpsdfg", "A: wrtzpsdfgh kljhgfdss"],
    ["a key held down", "A: Yes?", "U: aaaaaaaaaa eeeeeeeee", "A: sssssssss please"],
  ],
  "re-prompts": [
    [
      "not understood",
      "A: 请说出您的订单号。",
      "U: 三七九",
      "A: 抱歉，我没听清，请您再说一遍。",
      "U: 三七九二",
      "A: 不好意思，没有听清楚，麻烦再重复一下。",
      "U: 我说三七九二",
      "A: 对不起，还是听不清。",
    ],
    [
      "the same question",
      "A: What is your order number?",
      "U: 1234",
      "A: Please tell me your order number.",
      "U: I did, 1234",
      "A: Please tell me your order number.",
      "U: one two three four",
      "A: Please tell me your order number!",
      "U: hello?",
      "A: please tell me your order number",
    ],
    [
      "English",
      "A: How can I help?",
      "U: my parcel",
      "A: Sorry, I didn't catch that.",
      "U: my parcel is lost",
      "A: Could you repeat that, please?",
      "U: parcel lost",
      "A: I'm sorry, I could not understand you.",
    ],
  ],
  repetition: [
    ["a loop in a turn", "A: 您好。", "U: 我想查一下物流", `A: ${"好的我来为您查询物流信息".repeat(12)}`],
    [
      "a loop over turns",
      "A: How can I help?",
      ...times(6, "x").flatMap((_, at) => [
        `U: It is question number ${at} about my bill`,
        "A: Thank you for calling, please visit our web site to see all the details of your bill.",
      ]),
    ],
  ],
  transfer: [
    ["Chinese", "A: 您好。", "U: 我要投诉快递员", "A: 好的，正在为您转接人工客服，请稍候。"],
    ["to a colleague", "A: 您好。", "U: 这个我不懂", "A: 我帮您转给专员处理。", "U: 好的谢谢你", "A: 不客气。"],
    ["English", "A: Hello.", "U: I want a refund now", "A: I'm transferring you to a human agent."],
    ["connect", "A: Hello.", "U: I want a refund", "A: Let me connect you with one of our representatives."],
    ["put through", "A: Hello.", "U: I want a refund", "A: One moment. I'll put you through to a colleague."],
  ],
};

/** Conversations that look alike, and that no rule drops. */
const GOOD: [what: string, ...lines: string[]][] = [
  ["one short question", "A: 您好，请讲。", "U: 几点关门？", "A: 晚上九点。"],
  ["hello with a question", "A: Hi.", "U: Hello, where is my parcel?", "A: It arrives today."],
  ["a caller who is brief at first", "A: 您好", "U: 喂", "A: 请讲", "U: 嗯，我要改地址", "A: 好的，请说新地址。"],
  [
    "numbers are more than a word",
    "A: 订单号？",
    "U: 37921",
    "A: 手机号？",
    "U: 13800138000",
    "A: 邮编？",
    "U: 100000",
    "A: 好。",
  ],
  ["spoken numbers", "A: 订单号？", "U: 三七九二一", "A: 手机号？", "U: 幺三八零零", "A: 几件？", "U: 好", "A: 好的。"],
  ["two short answers", "A: 要退货吗？", "U: 是的", "A: 今天可以来取吗？", "U: 可以", "A: 已经为您预约。"],
  ["some short answers", "A: Is it new?", "U: Yes.", "A: Which?", "U: The blue one", "A: Size?", "U: L", "A: Done."],
  ["laughter and fillers", "A: 您好", "U: 哈哈哈哈哈哈，嗯嗯嗯，我想问问会员怎么办理", "A: 好的，啊，这样办理。"],
  [
    "abbreviations and addresses",
    "A: See https://example.com/xkcdqwrtz.",
    "U: HTTPS and HTML fail on WLAN",
    "A: Hmm, which VPN?",
  ],
  ["names with many consonants", "A: Your name?", "U: Krzysztof Brzezinski from Schwyz", "A: Thank you, Krzysztof."],
  ["other scripts", "A: Здравствуйте, чем помочь?", "U: Я хочу вернуть заказ", "A: 안녕하세요 무엇을 도와 드릴까요"],
  ["accents", "A: Où êtes-vous?", "U: À l'hôtel près de l'aéroport, ça va très bien", "A: Très bien, señor."],
  ["emoji and symbols", "A: 您好😀👍", "U: ¥100 太贵了！！！@@@###", "A: ★★★★★"],
  [
    "asked again twice",
    "A: 订单号是多少？",
    "U: 三七",
    "A: 抱歉没听清，请再说一遍。",
    "U: 三七九",
    "A: 不好意思，请您再重复一下。",
    "U: 三七九二",
    "A: 查到了，明天送达。",
  ],
  [
    "asked again at different places",
    "A: 订单号？",
    "U: 三七",
    "A: 没听清，请再说一遍。",
    "U: 三七九二",
    "A: 好的，手机号？",
    "U: 一三八",
    "A: 请再说一遍。",
    "U: 幺三八",
    "A: 好的，姓名？",
    "U: 张伟",
    "A: 我没听清。",
    "U: 张伟，弓长张",
    "A: 好的张先生。",
  ],
  [
    "the caller asks again",
    "A: 您的包裹在三号柜。",
    "U: 没听清，再说一遍",
    "A: 在三号柜，取件码六位。",
    "U: 你再说一遍，听不清",
    "A: 三号柜，门口左边。",
    "U: 再说一遍",
    "A: 好，左边三号柜。",
  ],
  [
    "a list of similar things",
    "A: 您好",
    "U: 我有哪些订单？",
    "A: 您有三个订单：第一个是牛奶，明天送达；第二个是面包，后天到货；第三个是洗衣液，已经签收；还有一个退款正在处理中，预计三天内到账。",
  ],
  [
    "polite phrases that return",
    "A: 您好，请问有什么可以帮您？",
    "U: 查快递",
    "A: 快递今天下午六点前会送到您家门口，请问还有什么可以帮您？",
    "U: 改地址",
    "A: 新地址已经登记好了，明天按新地址派送，请问还有什么可以帮您？",
    "U: 没了谢谢你",
    "A: 感谢您的来电，祝您生活愉快，再见。",
  ],
  [
    "asks for a human, and is refused",
    "A: 您好",
    "U: 转人工",
    "A: 抱歉，我无法为您转接人工，但我可以帮您登记。",
    "U: 那登记吧",
    "A: 已登记。",
  ],
  ["offered", "A: 您好", "U: 很生气", "A: 需要为您转接人工客服吗？", "U: 不用了，退款就行", "A: 已退款。"],
  [
    "a condition",
    "A: Hi.",
    "U: It broke",
    "A: If you like, I can transfer you to an agent.",
    "U: No, just replace it",
    "A: Done.",
  ],
  [
    "cannot",
    "A: Hi.",
    "U: A human please",
    "A: I can't transfer you to a human agent, sorry.",
    "U: then a refund",
    "A: Done.",
  ],
  ["money and lines", "A: 您好", "U: 我要转账", "A: 我帮您转到您的储蓄卡。", "U: 好的谢谢", "A: 已转账两百元。"],
  [
    "another transfer",
    "A: Hi.",
    "U: move my money",
    "A: I'm transferring your balance to savings.",
    "U: thank you",
    "A: Done.",
  ],
  [
    "handed over long before the end",
    "A: 您好",
    "U: 人工",
    "A: 正在为您转接人工客服。",
    "U: 怎么还没有人",
    "A: 坐席忙，我先帮您查，订单号是？",
    "U: 三七九二一",
    "A: 查到了，明天送达。",
    "U: 好的谢谢你",
    "A: 不客气。",
  ],
];

describe("quality rules", () => {
  for (const name of QUALITY_RULE_NAMES)
    test.each(BAD[name])(`${name}: %s`, (_, ...lines) => {
      expect([only(name, ...lines), any(...lines) !== undefined]).toEqual([name, true]);
    });

  test.each(GOOD)("keep: %s", (_, ...lines) => {
    expect(any(...lines)).toBeUndefined();
  });

  test("what follows an interruption was not heard, and tools and system turns say nothing", () => {
    const cut = dialog("A: 您好", "U: 我要投诉你们", "A: 好的。<ims_agent_interrupted>正在为您转接人工客服。");
    expect(brokenRule(cut, all ?? new Map())).toBeUndefined();
    const { turns } = dialog("A: 您好", "U: 我要查物流", "A: 好的。");
    const tool: Turn = {
      id: "9",
      role: "tool",
      kind: "normal",
      text: "正在为您转接人工客服 \ufffd\ufffd\ufffd\ufffd\ufffd\ufffd",
    };
    expect(brokenRule({ turns: [...turns, tool] }, all ?? new Map())).toBeUndefined();
  });

  test("a tool that hands over counts, one that moves money does not", () => {
    const { turns } = dialog("A: 您好", "U: 我要投诉你们", "A: 请稍等。");
    const calling = (name: string): Turn[] => [
      ...turns,
      { id: "4", role: "agent", kind: "normal", text: "", toolCalls: [{ id: "1", name, arguments: "{}" }] },
    ];
    const broken = (name: string) => brokenRule({ turns: calling(name) }, all ?? new Map());
    expect([broken("transfer_to_human"), broken("handoff_agent"), broken("转人工")]).toEqual(times(3, "transfer"));
    expect([broken("transfer_money"), broken("forward_email")]).toEqual([undefined, undefined]);
  });

  test("thresholds move the border", () => {
    const twice = dialog(
      "A: 号码？",
      "U: 三七",
      "A: 没听清。",
      "U: 三七九",
      "A: 请再说一遍。",
      "U: 三七九二",
      "A: 好的。",
    );
    const broken = (rule: string) => brokenRule(twice, parseQuality(false, [rule]) ?? new Map());
    expect([broken("re-prompts=2"), broken("re-prompts=3"), broken("re-prompts")]).toEqual([
      "re-prompts",
      undefined,
      undefined,
    ]);
    const brief = dialog("A: 1?", "U: 好", "A: 2?", "U: 好", "A: 3?", "U: 我不知道啊", "A: 好。");
    expect(brokenRule(brief, parseQuality(false, ["one-word=0.6"]) ?? new Map())).toBe("one-word");
  });

  test("are switched on together or by name, and off by name", () => {
    const shown = (on: boolean, ...rules: string[]) => shownQuality(parseQuality(on, rules) ?? new Map());
    expect(shown(true)).toBe("hang-up=1, one-word=0.9, gibberish=0.3, re-prompts=3, repetition=0.5, transfer=2");
    expect(shown(false, "transfer", "gibberish=.2")).toBe("gibberish=0.2, transfer=2");
    expect(shown(true, "transfer=off", "hang-up=2", "one-word=off", "gibberish=off", "repetition=1")).toBe(
      "hang-up=2, re-prompts=3, repetition=1",
    );
    expect(parseQuality(false)).toBeUndefined();
    expect(() => parseQuality(true, ["length"])).toThrow('no rule "length". It has: hang-up, one-word');
    for (const rule of [
      "gibberish=0",
      "gibberish=1.1",
      "gibberish=",
      "gibberish=x",
      "hang-up=0",
      "hang-up=1.5",
      "hang-up=1=2",
      "constructor",
    ])
      expect(() => parseQuality(true, [rule])).toThrow("--quality-rule");
  });

  test("give an answer for any text, without time that grows with the square of its length", () => {
    const lines = fc.array(
      fc.string({ unit: "binary", maxLength: 40 }).map((text) => `${text.length % 2 ? "A" : "U"}: ${text}`),
    );
    fc.assert(
      fc.property(lines, (texts) => {
        const found = any(...texts);
        expect(found === undefined || QUALITY_RULE_NAMES.includes(found)).toBe(true);
      }),
      { seed: 7, numRuns: 200 },
    );
    // A search that grows with the square of a text would not end in the time that a test has.
    const parts = [
      "a",
      "转",
      "为您转",
      "1 ",
      "如果",
      "repeat that ",
      "transfer you a ",
      "嗯",
      "，",
      "a@",
      "没有听",
      "\ufffd",
    ];
    for (const part of parts)
      for (const name of QUALITY_RULE_NAMES) {
        const text = part.repeat(20_000);
        expect(() => only(name, `A: ${text}`, `U: ${text}`, `A: ${text}`)).not.toThrow();
      }
  });
});
