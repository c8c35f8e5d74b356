import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/core/errors.ts";
import { createRedactor, parsePattern } from "../../../src/transforms/redact/index.ts";
import { callOf, redactText } from "./corpus.ts";

const redactor = (...patterns: string[]) => createRedactor({ categories: [], patterns: patterns.map(parsePattern) });

describe("a pattern of one's own", () => {
  it("becomes a placeholder of its name", async () => {
    const redact = await redactor("order=JD\\d{6}", "staff-no=工号=?\\d+");
    expect(redactText(redact, "JD123456和JD654321，JD123456，工号=88")).toBe(
      "<ORDER_1>和<ORDER_2>，<ORDER_1>，<STAFF_NO_1>",
    );
    expect(redact(callOf("JD123456 JD123456")).counts).toEqual({ order: 2 });
  });
  it("sees whole characters", async () => {
    expect(redactText(await redactor("face=🦊."), "a🦊🦊b")).toBe("a<FACE_1>b");
  });
  it("never matches nothing, nor a placeholder alone", async () => {
    const redact = await redactor("word=\\b|x+", "any=.+");
    expect(redactText(redact, "ab")).toBe("<ANY_1>");
    expect(redactText(redact, "<ANY_1>")).toBe("<ANY_1>");
  });
  it("takes a placeholder inside it along", async () => {
    expect(redactText(await redactor("home=住.*?号"), "我住<PHONE_1>路5号，谢谢")).toBe("我<HOME_1>，谢谢");
  });
  it("works without the g flag when it comes from code", async () => {
    const redact = await createRedactor({ categories: [], patterns: [{ name: "x", pattern: /x\d/ }] });
    expect(redactText(redact, "x1 x2 x1")).toBe("<X_1> <X_2> <X_1>");
  });
  it.each([
    ["no name", "\\d+", "name=regex"],
    ["an empty name", "=\\d+", "name=regex"],
    ["a name with spaces", "a b=\\d+", "name=regex"],
    ["a category's name", "id-card=\\d+", "category"],
    ["a broken regex", "a=(", "not a regular expression"],
    ["a regex that matches nothing at all", "a=x*", "empty"],
    ["an empty regex", "a=", "empty"],
  ])("is refused with %s", (_, text, message) => {
    expect(() => parsePattern(text)).toThrow(UsageError);
    expect(() => parsePattern(text)).toThrow(message);
  });
});
