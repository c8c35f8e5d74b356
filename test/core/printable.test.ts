import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonLine, oneLine, printable } from "../../src/core/printable.ts";

/** What a terminal obeys, or what makes text look like another. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

describe("text from outside", () => {
  test.each([
    ["a\u001b[31mb", "a [31mb"],
    ["a\r\n\tb", "a b"],
    ["a\u009b2Jb\u007f", "a 2Jb "],
    ["abc\u202edef\u2066\u200b\u2028x", "abcdef x"],
    ["退货 é 😀", "退货 é 😀"],
    ["a  b", "a  b"],
    ["\ud800", "\ufffd"],
  ])("%j is shown as %j", (text, shown) => {
    expect(oneLine(text)).toBe(shown);
  });

  test("keeps only our own line breaks", () => {
    expect(printable("one\ntwo\u001b[2J\rthree")).toBe("one\ntwo [2J three");
  });

  test("as JSON has the same value and no terminal control characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const line = jsonLine({ text });
        expect(line).not.toMatch(UNSAFE);
        expect(JSON.parse(line)).toEqual({ text });
        expect(oneLine(text)).not.toMatch(UNSAFE);
      }),
    );
  });
});
