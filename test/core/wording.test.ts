import fc from "fast-check";
import { expect, test } from "vitest";
import { count } from "../../src/core/wording.ts";

test("a number is written as the English locale writes it", () => {
  const numbers = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.integer().map((n) => n / 1000),
  );
  fc.assert(fc.property(numbers, (n) => count(n) === n.toLocaleString("en-US")));
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [-1000, "-1,000"],
  [1234567.5, "1,234,567.5"],
  [100, "100"],
])("%d", (n, text) => expect(count(n)).toBe(text));
