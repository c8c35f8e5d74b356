import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCallLog } from "../../src/parse/call-log.ts";
import { parseExact } from "../../src/parse/values-exact.ts";

const asText = (_: string, value: unknown): unknown =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(Number(value)) < 1e21 ? String(value) : value;

/** What JSON.parse makes of it, or that it does not. */
const plain = (text: string, reviver?: typeof asText): unknown => {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return "no JSON";
  }
};
const exact = (text: string): unknown => {
  try {
    return parseExact(text);
  } catch {
    return "no JSON";
  }
};

describe("parseExact", () => {
  it.each<[string, unknown]>([
    ["12345678901234567890", "12345678901234567890"],
    ["-12345678901234567890", "-12345678901234567890"],
    ["[9007199254740991,9007199254740992]", [9007199254740991, "9007199254740992"]],
    [
      '{"a" : 1234567890123456789 , "b":[ -9999999999999999999]}',
      { a: "1234567890123456789", b: ["-9999999999999999999"] },
    ],
    ["[1,\n\t12345678901234567890\n]", [1, "12345678901234567890"]],
  ])("keeps the digits of %s", (text, expected) => {
    expect(parseExact(text)).toEqual(expected);
  });

  it.each([
    '{"a": "say: 12345678901234567890, [12345678901234567890]"}',
    '{"a": "quoted \\": 12345678901234567890, \\\\", "b": 5}',
    '{":12345678901234567890": 1, "b\\\\": [1]}',
    '["\\\\\\": 12345678901234567890"]',
    "[0.12345678901234567890, 12345678901234567890.5, 12345678901234567890e2, 1e1234567890123456]",
    "[1234567890123456, -1234567890123456]",
  ])("leaves the strings, fractions and safe numbers of %s alone", (text) => {
    expect(exact(text)).toEqual(plain(text));
  });

  it.each([
    "{12345678901234567890: 1}",
    "[01234567890123456789]",
    "[--12345678901234567890]",
    "[+12345678901234567890]",
    "[- 12345678901234567890]",
    "[12345678901234567890n]",
    "[0x12345678901234567890]",
    "[12345678901234567890",
    '[12345678901234567890 "',
    "[12345678901234567890 12345678901234567890]",
    "[.12345678901234567890]",
    "[12345678901234567890.]",
  ])("refuses %s, which is not JSON", (text) => {
    expect(() => parseExact(text)).toThrow(SyntaxError);
  });

  it("agrees with JSON.parse except on such numbers", () => {
    const json = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value));
    const digits = fc.stringMatching(/^[-":,{}[\]\\ 0-9.e]{0,60}$/);
    const long = fc
      .tuple(digits, digits)
      .map(([a, b]) => JSON.stringify({ [`:12345678901234567 ${a}`]: `${b},98765432109876543` }));
    fc.assert(
      fc.property(fc.oneof(json, long), (text) => {
        // JSON.stringify wrote them: their digits are those of the number.
        expect(exact(text)).toEqual(plain(text, asText));
      }),
    );
    fc.assert(
      fc.property(fc.oneof(digits, fc.string()), (text) => (exact(text) === "no JSON") === (plain(text) === "no JSON")),
      {
        numRuns: 2000,
      },
    );
  });

  it("keeps every whole number, wherever it stands", () => {
    const places = fc.array(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), { maxLength: 8 });
    fc.assert(
      fc.property(places, fc.string(), (numbers, text) => {
        const written = `{"k": [${numbers.map((n) => `${JSON.stringify(text)}, ${n}`).join(" ,")}], ${JSON.stringify(`${text}-`)}: 1}`;
        const { k } = parseExact(written) as { k: unknown[] };
        expect(k.filter((_, index) => index % 2 === 1).map(String)).toEqual(numbers.map(String));
        expect(k.every((value, index) => index % 2 === 1 || value === text)).toBe(true);
      }),
    );
  });

  it("takes linear time and no stack for long strings of quotes and backslashes", () => {
    const hostile = `[12345678901234567890,"${'\\\\\\"'.repeat(500_000)}",${'"",'.repeat(100_000)}1]`;
    expect(exact(hostile)).toHaveLength(100_003);
  });
});

describe("ids of 16 digits and more", () => {
  it("survive in a call log's turns and in its unknown fields", () => {
    const text =
      '{"batch":12345678901234567891,"dialog":[{"id":98765432109876543210,"text":"a 12345678901234567890","n":7}]}';
    expect(readCallLog(Buffer.from(text))).toMatchObject({
      extra: { batch: "12345678901234567891" },
      dialog: [{ id: "98765432109876543210", text: "a 12345678901234567890", extra: { n: 7 } }],
    });
  });
});
