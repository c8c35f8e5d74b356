import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileName } from "../../src/writers/file-name.ts";
import { anyText, brokenText } from "./arbitrary.ts";

describe("a file name", () => {
  it.each([
    ["b9566-a_3.c5", "b9566-a_3.c5"],
    ["../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"],
    ["..", "%2E%2E"],
    [".", "%2E"],
    [".ssh", "%2Essh"],
    ["a.", "a%2E"],
    ["a\\b:c*", "a%5Cb%3Ac%2A"],
    ["a\0b", "a%00b"],
    ["通话", "%E9%80%9A%E8%AF%9D"],
    ["b9566****eb2", "b9566%2A%2A%2A%2Aeb2"],
    ["100%", "100%25"],
    ["a~b", "a%7Eb"],
  ])("for %j is %j", (id, name) => {
    expect(fileName(id)).toBe(name);
  });
  it("tells ids apart that differ in case only", () => {
    expect(fileName("ABC")).toMatch(/^ABC~[0-9a-f]{32}$/);
    expect(fileName("ABC").toLowerCase()).not.toBe(fileName("abC").toLowerCase());
  });
  it("is never longer than file systems allow, and still tells long ids apart", () => {
    const [one, other] = [fileName(`${"通".repeat(1000)}1`), fileName(`${"通".repeat(1000)}2`)];
    expect(one).toHaveLength(180);
    expect(one).not.toBe(other);
  });
  const id = fc.oneof(
    anyText,
    brokenText,
    fc.string({ unit: fc.constantFrom("a", "A", ".", "/", "%", "~", "2", "e", "E") }),
  );
  it("is a plain name for any id", () => {
    fc.assert(
      fc.property(id, (value) => void expect(fileName(value)).toMatch(/^(?!\.)[A-Za-z0-9_.%~-]{1,180}(?<!\.)$/)),
    );
  });
  it("differs for any two ids, also where case is ignored", () => {
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(fileName(one).toLowerCase() === fileName(other).toLowerCase()).toBe(one === other);
      }),
      { numRuns: 5_000 },
    );
  });
});
