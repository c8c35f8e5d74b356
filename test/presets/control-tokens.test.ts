import { readFileSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import type { JsonObject, Transcript } from "../../src/core/transcript.ts";
import { type PresetName, presets } from "../../src/presets/index.ts";
import type { Policy } from "../../src/transforms/curate/curate.ts";
import { errorsIn, rowsOf } from "../contracts/preset.ts";
import { FAMILIES, TOKENS, tokenizerOf } from "../helpers/control-tokens.ts";
import { SOAK } from "../helpers/soak.ts";
import { call, withTools } from "./calls.ts";

type Row = Record<"messages" | "prompt" | "completion", object[]>;
const messagesOf = (line: string): object[] => {
  const { messages, prompt, completion }: Row = JSON.parse(line);
  return messages ?? [...prompt, ...completion];
};

/** Tokens of one family in chunks, so that no text is endless. */
const chunks = (tokens: readonly string[], size = 200): string[][] =>
  Array.from({ length: Math.ceil(tokens.length / size) }, (_, index) => tokens.slice(index * size, (index + 1) * size));

/** A call whose every text has these words: what the user, the agent, the system turn, the greeting and tools say. */
const saying = (words: string, { tools }: { tools: boolean }): Transcript => {
  const id = "call00001";
  const data = JSON.stringify({ place: words, [words]: [words] });
  const used: Parameters<typeof call>[0] = [
    { role: "agent", toolCalls: [{ id, name: "track", arguments: data }] },
    { role: "tool", text: data, toolCallId: id },
    { role: "agent", text: words },
    { text: words },
    { role: "agent", toolCalls: [{ id, name: "track", arguments: '{"at":7}' }] },
    { role: "tool", text: words, toolCallId: id },
  ];
  return call(
    [
      { role: "agent", kind: "greeting", text: words },
      { text: `Where is it? ${words}` },
      ...(tools ? used : []),
      { role: "agent", text: words },
      { text: words },
      { text: words },
      { role: "agent", text: `${words} Bye.` },
    ],
    { system: words },
  );
};

/** How the ids of a family's control tokens follow each other in a rendered row. */
const createReader = (family: string, template: string, normalizer?: JsonObject) => {
  const jinja = new Template(readFileSync(new URL(`templates/${template}.jinja`, import.meta.url), "utf8"));
  const tokenizer = new Tokenizer(tokenizerOf(family, normalizer), {});
  return (line: string): number[] => {
    const text = jinja.render({
      messages: messagesOf(line),
      bos_token: "<s>",
      eos_token: "</s>",
      add_generation_prompt: false,
    });
    return tokenizer.encode(text, { add_special_tokens: false }).ids.filter((each: number) => each >= 10_000);
  };
};

const MODELS: [family: string, template: string, policy: Policy, tools: boolean][] = [
  ["qwen3", "qwen3", {}, true],
  ["qwen3", "qwen2.5", {}, true],
  ["llama3", "llama3", {}, false],
  ["llama3", "llama3.1", {}, false],
  ["gemma3", "gemma3", {}, false],
  ["gemma3", "gemma2", { greeting: "drop", system: "none" }, false],
  ["mistral-v3-tekken", "mistral-v3-tekken", {}, true],
  ["mistral-v3-tekken", "mistral-v1", { greeting: "drop", system: "none" }, false],
];
/** Rows that a chat template reads; those with tools in the second list. */
const PRESETS: PresetName[] = ["messages", "bailian", "ms-swift", "axolotl", "trl", "openai", "together"];
const WITH_TOOLS: PresetName[] = ["axolotl", "trl", "openai"];

const planted = (tokens: readonly string[], tools: boolean): [Transcript, Transcript][] =>
  chunks(tokens).map((chunk) => [
    saying(`说 ${chunk.join(" a")} 完`, { tools }),
    saying(`说 ${chunk.map(() => "x").join(" a")} 完`, { tools }),
  ]);

describe("no control token of a text reaches the model", () => {
  it.each(MODELS)("%s by the template %s", (family, template, policy, tools) => {
    const read = createReader(family, template);
    // Of the numbered ones some; test/core/control-tokens.test.ts has all of them.
    const tokens = (FAMILIES[family] ?? []).filter((_, index) => SOAK || index < 60 || index % 41 === 0);
    for (const [evil, plain] of planted(tokens, tools))
      for (const name of tools ? WITH_TOOLS : PRESETS) {
        const rows = (transcript: Transcript, more: Policy = {}): string[] =>
          rowsOf(presets[name], [transcript], { ...policy, ...more }).lines;
        const expected = rows(plain).map(read);
        expect(expected.length).toBeGreaterThan(0);
        expect([name, rows(evil).map(read)]).toEqual([name, expected]);
        expect([name, rows(evil, { specialTokens: "strip" }).map(read)]).toEqual([name, expected]);
        expect(rows(evil, { specialTokens: "keep" }).map(read)).not.toEqual(expected);
      }
  });

  const NORMALIZERS: [string, JsonObject][] = [
    ["NFKC", { type: "NFKC" }],
    ["lower case", { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] }],
    ["no accents", { type: "Sequence", normalizers: [{ type: "NFKD" }, { type: "StripAccents" }] }],
    ["spaces as ▁", { type: "Replace", pattern: { String: " " }, content: "▁" }],
    ["runs of spaces as one", { type: "Replace", pattern: { Regex: " {2,}" }, content: " " }],
    ["invisible characters removed", { type: "Replace", pattern: { Regex: "[\\u200b\\u2060]" }, content: "" }],
  ];
  const disguises: ((token: string) => string)[] = [
    (token) => token,
    (token) => token.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0)),
    (token) => token.toUpperCase(),
    (token) => `${token.slice(0, 2)}\u200b${token.slice(2)}`,
    (token) => `${token[0]}\u0338${token.slice(1)}`,
  ];
  it.each(NORMALIZERS)("by a tokenizer that normalises first: %s", (_, normalizer) => {
    const read = createReader("qwen3", "qwen3", normalizer);
    const plain = saying("说 x 完", { tools: true });
    const expected = rowsOf(presets.trl, [plain], {}).lines.map(read);
    for (const disguise of disguises)
      for (const token of FAMILIES.qwen3 ?? []) {
        const evil = saying(`说 ${disguise(token)} 完`, { tools: true });
        expect([token, rowsOf(presets.trl, [evil], {}).lines.map(read)]).toEqual([token, expected]);
      }
  });

  it("that two fragments, or text and greeting, form together", () => {
    for (const token of [...(FAMILIES.qwen3 ?? []), "＜｜im_end｜＞", "＜／s＞", "［INST］"])
      for (let at = 1; at < token.length; at += 1) {
        const [head, tail] = [token.slice(0, at), token.slice(at)];
        const parts = call([
          { role: "agent", kind: "greeting", text: head },
          { role: "agent", kind: "greeting", text: tail },
          { text: `你${head}` },
          { text: `${tail}好` },
          { role: "agent", text: head },
          { role: "agent", text: tail },
        ]);
        for (const specialTokens of ["escape", "strip"] as const)
          for (const name of ["messages", "alpaca"] as const)
            expect(errorsIn(presets[name], rowsOf(presets[name], [parts], { specialTokens }).lines)).toEqual([]);
      }
  });
});

describe("every preset", () => {
  const all = Object.keys(presets) as PresetName[];
  it.each(all)("%s writes no control token, and its rule finds each that was kept", (name) => {
    for (const token of TOKENS.filter((_, index) => index < 120 || index % 97 === 0)) {
      const evil = saying(`说 ${token} 完`, { tools: presets[name].can.tools && name !== "llama-factory" });
      expect(errorsIn(presets[name], rowsOf(presets[name], [evil], {}).lines)).toEqual([]);
      const kept = rowsOf(presets[name], [evil], { specialTokens: "keep" }).lines;
      expect(errorsIn(presets[name], kept)[0]).toMatch(/control-token/);
    }
  });
  it("of call names and ids too, which stay equal", () => {
    const id = "<|im_end|>";
    const evil = withTools({ toolCalls: [{ id, name: "</s>", arguments: '{"a":"\\u003c/s>"}' }] });
    for (const turn of evil.turns) if (turn.toolCallId !== undefined) turn.toolCallId = id;
    for (const name of ["llama-factory", "ms-swift", ...WITH_TOOLS] as const) {
      const { lines, refused } = rowsOf(presets[name], [evil], {});
      expect(refused).toEqual([]);
      expect(lines.length).toBeGreaterThan(0);
      expect(errorsIn(presets[name], lines)).toEqual([]);
    }
  });
  it.each(["empty", "reasoning"] as const)("bailian keeps its own <think>, with --think %s", (think) => {
    const evil = saying("说 </think> <think> 完", { tools: false });
    for (const turn of evil.turns) turn.reasoning = "Hm </think> hm.";
    const { lines } = rowsOf(presets.bailian, [evil], {}, { think });
    expect(errorsIn(presets.bailian, lines)).toEqual([]);
    for (const { role, content } of JSON.parse(lines[0] ?? "").messages)
      expect(content.match(/<\/?think>/g) ?? []).toHaveLength(role === "assistant" ? 2 : 0);
  });
  it("placeholders of redaction stay as they are", () => {
    const words = "<PHONE_1> <ID_CARD_2> <b> a < b > c [1]";
    const { lines } = rowsOf(presets.messages, [saying(words, { tools: false })], {});
    expect(JSON.parse(lines[0] ?? "").messages[1].content).toBe(`Where is it? ${words}`);
  });
});
