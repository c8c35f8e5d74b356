import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/sample.ts";
import { joinTexts, mergeSpeakers } from "../../src/transforms/curate/merge.ts";

describe("texts of one speaker", () => {
  it.each([
    ["Hello.", "Who is there?", "Hello. Who is there?"],
    ["你好", "我是小云", "你好，我是小云"],
    ["你好。", "我是小云", "你好。我是小云"],
    ["你好", "，我是小云", "你好，我是小云"],
    ["嗯……", "好的", "嗯……好的"],
    ["他说", "“好”", "他说“好”"],
    ["“yes”", "“no”", "“yes” “no”"],
    ["Well…", "no", "Well… no"],
    ["こんにちは", "カード", "こんにちはカード"],
    ["안녕", "하세요", "안녕 하세요"],
    ["我叫", "Anna", "我叫 Anna"],
    ["A4", "纸", "A4 纸"],
    ["𠮷", "野", "𠮷，野"],
    ["野", "𠮷", "野，𠮷"],
    ["🦊", "🦊", "🦊 🦊"],
    ["One \n", "\t two", "One two"],
    ["你好 ", " 我", "你好，我"],
    ["好的", "？", "好的？"],
    ["一二三", "四五", "一二三，四五"],
    ["漢字", "かな", "漢字かな"],
  ])("%j and %j join to %j", (before, after, joined) => {
    expect(joinTexts([before, after])).toBe(joined);
  });
  it("keep their outer spaces, and one alone is as it was", () => {
    expect(joinTexts([" a ", " b ", " c "])).toBe(" a b c ");
    expect(joinTexts([" a "])).toBe(" a ");
  });
});

describe("merging speakers", () => {
  const message = fc.record({
    role: fc.constantFrom("user", "assistant"),
    content: fc.string(),
  }) as fc.Arbitrary<Message>;

  it("is done after once", () => {
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const once = mergeSpeakers(messages);
        expect(mergeSpeakers(once)).toBe(once);
        for (const [index, { role }] of once.entries()) expect(once[index + 1]?.role).not.toBe(role);
      }),
    );
  });
  it("keeps every character but spaces", () => {
    const words = (messages: Message[]) =>
      messages
        .map(({ content }) => content)
        .join("")
        .replaceAll(/\s/g, "");
    fc.assert(
      fc.property(fc.array(message), (messages) => void expect(words(mergeSpeakers(messages))).toBe(words(messages))),
    );
  });
  it("takes a hundred thousand pieces in a blink", () => {
    const pieces = Array.from({ length: 100_000 }, (): Message => ({ role: "user", content: "ten letters" }));
    expect(mergeSpeakers(pieces)[0]?.content).toHaveLength(100_000 * 12 - 1);
  });
});
