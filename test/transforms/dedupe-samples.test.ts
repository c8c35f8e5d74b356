import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/sample.ts";
import { createDedupe } from "../../src/transforms/dedupe/dedupe.ts";
import { createExclusions } from "../../src/transforms/dedupe/exclusions.ts";
import { comparable, createPrinter, fingerprintOf } from "../../src/transforms/dedupe/fingerprint.ts";
import { createShingler, eachShingle } from "../../src/transforms/dedupe/shingles.ts";

const WORDS = [
  "我要查",
  "快递",
  "订单",
  "13800138000",
  "幺三八",
  "<PHONE_1>",
  "parcel",
  "please",
  "Mr Smith",
  "好的",
  "，",
  " ",
  "…",
  "李先生",
];
const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((parts) => parts.join(""));
const message = fc.record({
  role: fc.constantFrom<Message["role"]>("user", "assistant", "system", "tool"),
  content: text,
});
const dialog = fc.array(message, { maxLength: 8 });
/** A text of its own for each number. */
const own = (at: number, length = 30): string =>
  Array.from({ length }, (_, n) =>
    String.fromCodePoint(0x5000 + ((Math.imul(at * length + n + 1, 0x9e3779b1) >>> 8) % 15_000)),
  ).join("");
const hashesOf = (content: string): number[] => {
  const found: number[] = [];
  eachShingle(comparable(content).near, (hash) => found.push(hash));
  return found;
};

describe("fingerprints of dialogs that grow", () => {
  it("are those of each beginning, made alone", () => {
    fc.assert(
      fc.property(dialog, (messages) => {
        const printer = createPrinter(true, true);
        for (const [at, each] of messages.entries()) {
          printer.add(each);
          expect(printer.print()).toEqual(fingerprintOf(messages.slice(0, at + 1), true));
        }
      }),
    );
  });
  it("have the shingles of all texts together, wherever they are cut between words", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (texts) => {
        const near = texts.map((each) => comparable(each).near);
        const shingler = createShingler();
        const pieces = near.flatMap((each) => [...shingler.feed(each)]);
        const rest = shingler.rest();
        const whole: number[] = [];
        eachShingle(near.join("\n"), (hash) => whole.push(hash));
        expect(rest === undefined ? pieces : [rest]).toEqual(whole);
      }),
    );
  });
});

describe("numbers, names and placeholders", () => {
  it.each([
    ["我的电话是13812345678谢谢你了", "我的电话是 159-9876-1234 谢谢你了"],
    ["我的电话是13812345678谢谢你了", "我的电话是幺三八一二三四五六七八谢谢你了"],
    ["我的电话是<PHONE_1>谢谢你了", "我的电话是13812345678谢谢你了"],
    ["车牌号是AB1234这辆车", "车牌号是XY987这辆车"],
    ["您好王先生请问有什么事情", "您好欧阳小明先生请问有什么事情"],
    ["my number is one two three four thanks a lot", "my number is 5 5 5 thanks a lot"],
    ["My name is John Smith and I want to know", "My name is Anna and I want to know"],
    ["good morning Mr. Brown how are you today", "good morning Mr. Taylor how are you today"],
    ["send it to li.lei@example.com as soon as you can", "send it to <EMAIL_1> as soon as you can"],
    ["看一下https://a.example/b?c=1这个网页上面", "看一下www.example.com/x 这个网页上面"],
  ])("have the same shingles: %s", (one, other) => {
    expect(hashesOf(one)).toEqual(hashesOf(other));
  });
  it("are all that is folded", () => {
    expect(hashesOf("我要查一下我的快递到哪里")).not.toEqual(hashesOf("我要查一下我的包裹到哪里"));
    expect(hashesOf("please tell me where it is")).not.toEqual(hashesOf("please tell me when it is"));
  });
  // Else this would take longer than a test may.
  it("take no time that grows with the square of a hostile text", () => {
    for (const unit of ["@", "<", "我叫", "王", "mr ", "www.", "a@", "https://", "<A_"]) {
      const long = unit.repeat(200_000 / unit.length);
      expect(() => comparable(long)).not.toThrow();
    }
  });
});

describe("samples of turns", () => {
  it("are near copies only if their answers are alike, too", () => {
    const talk = own(7, 300);
    const sample = (answer: string): Message[] => [
      { role: "user", content: talk },
      { role: "assistant", content: answer },
    ];
    const [one, other] = [
      sample("好的已经为您登记师傅会在今天下午与您联系"),
      sample("很抱歉我们暂时没有办法给您退款请谅解"),
    ];
    const near = (answers: boolean) => {
      const dedupe = createDedupe({ answers });
      dedupe.add(one, { number: 1 });
      return dedupe.add(other, { number: 2 });
    };
    expect([near(false)?.kind, near(true)]).toEqual(["near", undefined]);
  });
  it("are the same whatever was kept of others: decisions follow from the order alone", () => {
    fc.assert(
      fc.property(fc.array(dialog, { maxLength: 12 }), fc.nat(12), (dialogs, first) => {
        const kept = (some: readonly Message[][]) => {
          const dedupe = createDedupe({ answers: true, near: "other-splits" });
          return some.map((messages, number) => dedupe.add(messages, { number, split: number % 3 ? "train" : "test" }));
        };
        expect(kept(dialogs).slice(0, first)).toEqual(kept(dialogs.slice(0, first)));
      }),
    );
  });
});

describe("excluded rows", () => {
  const matchOf = (rows: readonly Message[][], sample: readonly Message[], threshold?: number) => {
    const exclusions = createExclusions(threshold);
    for (const row of rows) exclusions.add(row);
    const matcher = exclusions.matcher();
    for (const each of sample) matcher.add(each);
    return matcher.match();
  };
  it("are found whatever else is excluded, in any order", () => {
    fc.assert(
      fc.property(fc.array(dialog, { minLength: 1, maxLength: 8 }), fc.nat(), (rows, pick) => {
        const wanted = rows[pick % rows.length] ?? [];
        const has = wanted.some(
          ({ role, content }) => (role === "user" || role === "assistant") && hashesOf(content).length > 0,
        );
        expect(matchOf(rows, wanted)?.kind).toBe(has ? "exact-match" : undefined);
        expect(matchOf(rows.toReversed(), wanted)?.kind).toBe(has ? "exact-match" : undefined);
      }),
    );
  });
  it("are found inside a longer dialog, and its beginning inside them", () => {
    const said = (content: string): Message => ({ role: "user", content });
    const row = said("请问一下我的社保卡丢了应该去哪里补办需要带什么材料谢谢");
    const long = [said("你好我想咨询一些问题可以吗"), row, said("好的知道了那我明天早上去办一下再见".repeat(5))];
    expect(matchOf([[row]], long)?.kind).toBe("near-match");
    expect(matchOf([long], [said("你好我想咨询一些问题可以吗"), row])?.kind).toBe("near-match");
    expect(matchOf([[said("谢谢你")]], [said("谢谢你"), ...long])).toBeUndefined();
    expect(matchOf([[said("谢谢你")]], [said("谢谢你！")])?.kind).toBe("near-match");
  });
  it("of one script do not exclude all calls, and copies of a row do not hide it", () => {
    const script = "您好这里是某某公司的客服热线很高兴为您服务请问有什么可以帮您";
    const row = (at: number): Message[] => [{ role: "user", content: `${script}${own(at)}` }];
    const rows = Array.from({ length: 1200 }, (_, at) => row(at));
    expect(matchOf(rows, row(5000))).toBeUndefined();
    expect(matchOf(rows, [{ role: "user", content: `嗯${script}${own(1100)}` }])).toEqual({
      row: 1100,
      kind: "near-match",
    });
    const copies = Array.from({ length: 1500 }, () => row(1));
    expect(matchOf(copies, [{ role: "user", content: `嗯${script}${own(1)}` }])).toEqual({
      row: 0,
      kind: "near-match",
    });
  });
});
