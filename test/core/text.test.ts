import fc from "fast-check";
import { expect, test } from "vitest";
import { utf8 } from "../../src/core/text.ts";

const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

test("UTF-8 is decoded like TextDecoder does it, and other bytes are undefined", () => {
  const text = fc.string({ unit: "binary" }).map((each) => Buffer.from(each));
  const bytes = fc.uint8Array().map((each) => Buffer.from(each));
  const marked = text.map((each) => Buffer.concat([Buffer.from("\uFEFF"), each]));
  fc.assert(fc.property(fc.oneof(text, bytes, marked), (each) => void expect(utf8(each)).toBe(decoded(each))));
  // Beyond what is converted on the stack.
  const long = `中文😀${"é".repeat(5_000)}`;
  expect(utf8(Buffer.from(long))).toBe(long);
  // A view of a larger buffer, at an odd place.
  expect(utf8(Buffer.from("xx中文").subarray(1))).toBe("x中文");
});
