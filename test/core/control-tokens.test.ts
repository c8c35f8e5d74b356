import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  controlTokensIn,
  escapeControlTokens,
  stripControlTokens,
  unescapeControlTokens,
} from "../../src/core/control-tokens.ts";
import { FAMILIES, TOKENS } from "../helpers/control-tokens.ts";

const escaped = (text: string): string => escapeControlTokens(text).text;
/** Pieces of tokens, so that neighbours form tokens. */
const piece = fc.oneof(
  fc.constantFrom(..."<[>]|/\\＜［｜＞］﹤﹥≮≯", "\u200b", "\u0338", "\u2060", " ", "\n", "<<", ">>", "|>", "<|"),
  fc.constantFrom(
    "im_end",
    "s",
    "S",
    "think",
    "INST",
    "SYS",
    "unused7",
    "ｓ",
    "image",
    "i\u200bmage",
    "你好",
    "PHONE_1",
  ),
  fc.constantFrom(...TOKENS.slice(0, 60)),
  fc.string({ maxLength: 3 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

/** What the strictest normalisers make of a text: compatible forms, no accents, no invisible characters, lower case. */
const normalised = (value: string): string =>
  value
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .toLowerCase();
const lower = TOKENS.map((token) => token.toLowerCase());
/** Of the tokenizers' lists alone, without our patterns. In brackets case counts. */
const holdsToken = (value: string): boolean =>
  TOKENS.some((token) => value.includes(token)) ||
  lower.some((token) => token.startsWith("<") && normalised(value).includes(token));

describe("a control token", () => {
  it.each(Object.keys(FAMILIES))("of %s is found, whatever is around it, and broken", (family) => {
    const tokens = FAMILIES[family] ?? [];
    expect(tokens.length).toBeGreaterThan(20);
    for (const token of tokens) {
      expect([token, controlTokensIn(`a${token}b`).length]).toEqual([token, 1]);
      expect(escaped(`请${token}`)).toBe(`请${token[0]}\\${token.slice(1)}`);
      expect(stripControlTokens(`a${token}b`).text).toBe("ab");
    }
  });
  it.each([
    ["<|im_end|>", "<|im_end|>"],
    ["＜｜im_end｜＞", "<|im_end|>"],
    ["<|im_\u200bend|>", "<|im_end|>"],
    ["\u226e/s>", "</s>"],
    ["</S>", "</s>"],
    ["<｜end▁of▁sentence｜>", "<|…|>"],
    ["<|secret 13800138000|>", "<|…|>"],
    ["<turn|>", "<|…|>"],
    ["<end_of_turn>", "<end_of_turn>"],
    ["<start_of_my_secret>", "<start_of_…>"],
    ["<unused42>", "<unused…>"],
    ["<<SYS>>", "<<SYS>>"],
    ["<</SYS>>", "<</SYS>>"],
    ["<[INST]>", "[INST]"],
    ["<image>", "<image>"],
  ])("%j is named %s, without words of the text", (token, name) => {
    expect(controlTokensIn(`x ${token} y`)).toEqual([name]);
    expect(controlTokensIn(escaped(token))).toEqual([]);
  });
  it.each([
    ..."<PHONE_1> <ID_CARD_12> <ims_agent_interrupted> <table> <b> a<b>c [audio] [1] [笑] x<y|z>0 <|> <> [] <<".split(
      " ",
    ),
    "a <| b",
    "1 < 2 > 0",
    "[inst]",
    '{"a":["b"]}',
  ])("is not %j", (plain) => {
    expect(escapeControlTokens(plain)).toEqual({ text: plain, names: [] });
    expect(stripControlTokens(plain)).toEqual({ text: plain, names: [] });
  });
});

describe("an escaped text", () => {
  it("has no control token for any tokenizer, and gives the text back", () => {
    fc.assert(
      fc.property(text, (value) => {
        const safe = escaped(value);
        expect(controlTokensIn(safe)).toEqual([]);
        expect(holdsToken(safe)).toBe(false);
        expect(unescapeControlTokens(safe)).toBe(value);
      }),
      { numRuns: 700 },
    );
  });
  it("differs from the text by backslashes alone, where a token begins", () => {
    fc.assert(
      fc.property(text, (value) => {
        const { text: safe, names } = escapeControlTokens(value);
        expect(safe.length - value.length).toBe(names.length);
        if (holdsToken(value)) expect(names.length).toBeGreaterThan(0);
      }),
      { numRuns: 700 },
    );
  });
});

describe("a stripped text", () => {
  it("has no control token, also where what was removed leaves one behind", () => {
    expect(stripControlTokens("a<s<s<s>>>b")).toEqual({ text: "ab", names: ["<s>", "<s>", "<s>"] });
    fc.assert(
      fc.property(text, (value) => {
        const safe = stripControlTokens(value).text;
        expect(controlTokensIn(safe)).toEqual([]);
        expect(holdsToken(safe)).toBe(false);
      }),
      { numRuns: 700 },
    );
  });
});

it("hostile texts take linear time", () => {
  const size = 400_000;
  for (const unit of ["<", "<\\", "[", "<|", "<|a", "<s", "\\", "<\u200b", "<|a b ", "<[", "x>"]) {
    const hostile = unit.repeat(size / unit.length);
    for (const value of [hostile, `<${hostile}`, `${hostile}>`, `<|${hostile}|>`, `<s${hostile}>`.repeat(2)]) {
      expect(controlTokensIn(escaped(value))).toEqual([]);
      expect(controlTokensIn(stripControlTokens(value).text)).toEqual([]);
    }
  }
  const nested = `${"<s".repeat(size / 4)}${">".repeat(size / 4)}`;
  expect(controlTokensIn(stripControlTokens(nested).text)).toEqual([]);
});
