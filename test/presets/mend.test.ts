import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFile } from "../../src/presets/checks/check-file.ts";
import { hasKeyTwice } from "../../src/presets/checks/duplicate-keys.ts";
import { createMender } from "../../src/presets/checks/mend.ts";
import { createRowCopies } from "../../src/presets/checks/row-copies.ts";
import { type PresetName, presets } from "../../src/presets/index.ts";

/** What `--fix` promises to mend. */
const MENDED = [
  ...["bom", "crlf", "blank-line", "lone-surrogate", "control-character", "carriage-return", "control-token"],
  "duplicate-row",
];

const piece = fc.oneof(
  fc.constantFrom("<|im_end|>", "</s>", "<think>", "</think>", "<tool_call>", "</tool_call>", "<image>", "[INST]"),
  fc.constantFrom('{"a":"', '"}', "\0", "\r\n", "\r", "\ud83e", "\ufffd", "\\", "＜｜", "｜＞", "\u009f", " ", "你"),
  fc.string({ maxLength: 4 }),
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
const roles = fc.constantFrom("user", "assistant", "human", "gpt", "tool", "function_call");
const message = fc.oneof(
  fc.record({ role: roles, content: text }),
  fc.record({ from: roles, value: text }),
  fc.record({ role: roles, content: fc.array(fc.record({ text })) }),
);
const row = fc.oneof(
  fc.record(
    { messages: fc.array(message), images: fc.array(text, { maxLength: 1 }), id: fc.nat(2) },
    { requiredKeys: ["messages"] },
  ),
  fc.record({ conversations: fc.array(message), system: text }),
  fc.record({ prompt: fc.array(message), completion: fc.array(message) }),
  fc.record({ instruction: text, input: text, output: text, history: fc.array(fc.tuple(text, text)), system: text }),
);
const line = fc.oneof(
  { weight: 8, arbitrary: row.map((value) => JSON.stringify(value)) },
  fc.constantFrom("", " \t", "[", '{"a":1,"a":2}', '{"a":1.0,"b":"\\u0000"}', "7", '{"messages":[]}'),
);
const lines = fc.array(
  fc.tuple(line, fc.constantFrom("", "\r")).map(([value, end]) => value + end),
  { maxLength: 6 },
);

const mended = (name: PresetName, given: readonly string[]) => {
  const mend = createMender(() => presets[name], createRowCopies({ isWhole: true }).file("", undefined));
  const made = given.map((each) => mend(Buffer.from(each)));
  return {
    lines: made.flatMap((each) => (each.line === undefined ? [] : [Buffer.from(each.line).toString()])),
    fixes: made.flatMap(({ fixes }) => fixes),
  };
};

describe("a mended file", () => {
  it("has no finding that can be mended, and is the same when it is mended again", () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(presets) as PresetName[])), lines, (name, given) => {
        const once = mended(name, given);
        if (once.fixes.length === 0) expect(once.lines).toEqual(given);
        expect(mended(name, once.lines)).toEqual({ lines: once.lines, fixes: [] });
        // Only copies of whole rows are left out.
        const check = checkFile(() => presets[name], {
          findCopy: createRowCopies({ isWhole: true }).file("", undefined),
        });
        // Such rows are not rewritten.
        const kept = (each: string | undefined) => each?.includes("1.0") || each?.includes('"a":2');
        const left = once.lines.flatMap((each) => check.line(Buffer.from(each)));
        const fixable = left.filter(({ rule, line = 0 }) => MENDED.includes(rule) && !kept(once.lines[line - 1]));
        expect(fixable).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });
  it("keeps a row that is nested deeper than the stack", () => {
    const deep = `{"messages":${"[".repeat(200_000)}"<s>\\u0000"${"]".repeat(200_000)}}`;
    expect(mended("messages", [deep])).toEqual({ lines: [deep], fixes: [] });
    const check = checkFile(() => presets.messages);
    expect(check.line(Buffer.from(deep)).map(({ rule }) => rule)).toContain("control-token");
  });
  it("takes linear time, whatever its texts are", () => {
    for (const unit of [
      "<tool_call>",
      "</tool_call>",
      "<think>",
      "</think>",
      '\\"',
      '{"a":"',
      "<",
      "\r",
      "\0",
      "<tool_call>{</tool_call>",
    ]) {
      const evil = JSON.stringify({
        messages: [
          { role: "user", content: unit.repeat(300_000 / unit.length) },
          { role: "assistant", content: `<think>${unit.repeat(300_000 / unit.length)}` },
        ],
      });
      const once = mended("messages", [evil]);
      expect(mended("messages", once.lines)).toEqual({ lines: once.lines, fixes: [] });
    }
  });
});

describe("a key that an object has twice", () => {
  it("is found in any JSON, and only there", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.string(), (value, key, other) => {
        const object = { [key]: value, list: [value, { [other]: key, [key]: other }] };
        expect(hasKeyTwice(JSON.stringify(object))).toBe(false);
        const again = `{"z":${JSON.stringify(value)}, ${JSON.stringify(key)} : 1,"y":[{}],${JSON.stringify(key)}\n:2}`;
        const expected = key !== "z" && key !== "y";
        expect(hasKeyTwice(JSON.stringify([object, "@@"]).replace('"@@"', () => again)) || !expected).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
