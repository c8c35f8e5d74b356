import { describe, expect, it } from "vitest";
import { languageOf } from "../../src/transforms/curate/language.ts";

const said = (...texts: string[]) => languageOf(texts.map((content) => ({ role: "user" as const, content })));

describe("the language of a dialog", () => {
  it.each([
    ["zh", "您好，我想问一下我的 iPhone 15 什么时候能到？"],
    ["zh", "我要 reset 一下密码"],
    ["en", "Hello, where's my parcel? Order 12345."],
    ["en", "I'd like the 小笼包 dish that my friend had here the other evening"],
    ["mixed", "我要 book 一个 meeting room，下午 three 点 available 吗 please confirm"],
    ["other", "こんにちは、荷物はいつ届きますか。東京都です"],
    ["other", "안녕하세요 배송 언제 오나요"],
    ["other", "Где моя посылка?"],
    ["other", "12345 … ！"],
    ["other", ""],
  ])("is %s: %s", (language, text) => {
    expect(said(text)).toBe(language);
  });

  it("counts a Latin word like a Han character, from 80% on as one language", () => {
    expect(said("一二三四 ok")).toBe("zh");
    expect(said("一二三 ok")).toBe("mixed");
    expect(said("one two three four 好")).toBe("en");
    expect(said("one two three 好")).toBe("mixed");
    expect(said("ＡＢＣ café naïve don’t")).toBe("en");
  });

  it("is the language of what is said, not of the system turn nor of tools", () => {
    const system = { role: "system" as const, content: "You are a friendly agent. ".repeat(50) };
    const tool = { role: "tool" as const, content: '{"status":"shipped"}' };
    expect(languageOf([system, { role: "user", content: "你好" }, tool, { role: "assistant", content: "您好" }])).toBe(
      "zh",
    );
  });
});
