import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/core/sample.ts";
import { isHalf, withoutHalfAnswers } from "../../src/transforms/curate/half-answers.ts";
import { wholePart } from "../../src/transforms/curate/whole-part.ts";

describe("the whole part of a half answer", () => {
  it.each([
    ["On its way. It will arr", "On its way."],
    ["您的订单已发货。预计明", "您的订单已发货。"],
    ["好的！我帮您查，请稍", "好的！"],
    ["他说“好。”然后", "他说“好。”"],
    ["Really?! Then I", "Really?!"],
    ["On its way.", "On its way."],
    ["您的订单已经发货，预计明", "您的订单已经发货。"],
    ["Your parcel has left, and it will arr", "Your parcel has left."],
    ["您的订单已经发货,预计明", "您的订单已经发货。"],
    ["还在听吗?我在", "还在听吗?"],
    ["如果您想退款，请", ""],
    ["好的,如果您想退款,请", ""],
    ["If you want it back, plea", ""],
    ["好的，如果您想退款，请", ""],
    ["Tomor", ""],
    ["您的订", ""],
    ["", ""],
    ["It costs 3.", ""],
    ["It costs 3.5 yuan and", ""],
    ["It is 10:30, Mr. Smi", "It is 10:30."],
    ["Ask for Dr. Li", ""],
    ["Write to a.b@example.com and", ""],
    ["，，", ""],
    ["Hm… well", "Hm…"],
  ])("%j: %j", (text, whole) => {
    expect(wholePart(text)).toBe(whole);
  });
  it("begins the text, but for the stop that closes a clause, and is whole itself", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "我", "3", " ", ".", "。", ",", "，", "?", "”", "如果") });
    fc.assert(
      fc.property(text, (text) => {
        const whole = wholePart(text);
        expect(text.startsWith(whole.replace(/[.。]$/u, ""))).toBe(true);
        expect(wholePart(whole)).toBe(whole);
      }),
    );
  });
  // In quadratic time this would take longer than a test may.
  it("of a megabyte is found in linear time", () => {
    for (const piece of [".", "，", "如果", "a.", "!?", '."', "， ", "我.", "我,", ";;)"]) {
      const text = `a${piece.repeat(1_000_000 / piece.length)}x`;
      expect(wholePart(text).length).toBeLessThanOrEqual(text.length);
    }
  });
});

describe("messages without half answers", () => {
  const message = (role: Message["role"], content: string, more: Partial<Message> = {}): Message => ({
    role,
    content,
    ...more,
  });
  it("end before a half answer without a whole sentence", () => {
    const asked = [message("user", "a"), message("assistant", "b."), message("user", "c")];
    expect(withoutHalfAnswers([...asked, message("assistant", "d", { whole: "", learn: false })])).toEqual(
      asked.slice(0, 2),
    );
  });
  it("are the same list if there is none", () => {
    const messages = [message("user", "a"), message("assistant", "b.", { whole: "b." })];
    expect(withoutHalfAnswers(messages)).toBe(messages);
  });
  it("alternate, and have no half answer", () => {
    const any = fc.array(
      fc.oneof(
        fc.constant(message("user", "a")),
        fc.constantFrom("b.", "", "b").map((whole) => message("assistant", "b. c", { whole, learn: false })),
        fc.constant(message("assistant", "d.")),
      ),
    );
    fc.assert(
      fc.property(any, (messages) => {
        const left = withoutHalfAnswers(messages);
        expect(left.some(isHalf)).toBe(false);
        if (left === messages) return;
        for (const [index, { role }] of left.entries()) expect(left[index + 1]?.role).not.toBe(role);
        expect(left.at(-1)?.role ?? "assistant").toBe("assistant");
      }),
    );
  });
});
