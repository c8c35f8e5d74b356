import { readFileSync } from "node:fs";
import { Template } from "@huggingface/jinja";
import { beforeAll, describe, expect, it } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import { type PresetName, presets } from "../../src/presets/index.ts";
import type { Policy } from "../../src/transforms/curate/curate.ts";
import { rowsOf } from "../contracts/preset.ts";
import { SOAK } from "../helpers/soak.ts";
import { CALLS, emulatedCalls, withTools } from "./calls.ts";

/** The models' own, see templates/SOURCES.md. */
const template = (name: string): ((messages: unknown) => string) => {
  const made = new Template(readFileSync(new URL(`templates/${name}.jinja`, import.meta.url), "utf8"));
  return (messages) => made.render({ messages, bos_token: "<s>", eos_token: "</s>", add_generation_prompt: false });
};

type Row = Record<"messages" | "prompt" | "completion", object[]>;
const messagesOf = (line: string): object[] => {
  const { messages, prompt, completion }: Row = JSON.parse(line);
  return messages ?? [...prompt, ...completion];
};

const SYSTEM = ["qwen2.5", "qwen3", "llama3", "llama3.1", "gemma3", "mistral-v3-tekken"];
/** These know no system turn at all. */
const NO_SYSTEM = ["gemma2", "mistral-v1"];
/** Rows whose shape a chat template reads. */
const READ: PresetName[] = ["messages", "bailian", "ms-swift", "axolotl", "trl", "openai", "together"];

let calls: Transcript[];
beforeAll(async () => {
  calls = await emulatedCalls(CALLS);
});

const rendered = new Set<string>();

const renderAll = (names: readonly string[], preset: PresetName, policy: Policy): void => {
  // A row per agent turn is ten times as many, each the beginning of another.
  const { lines } = rowsOf(
    presets[preset],
    presets[preset].unit === "turn" ? calls.slice(0, SOAK ? 150 : 60) : calls,
    policy,
  );
  for (const name of names) {
    const render = template(name);
    for (const line of lines) {
      // Many presets write the same rows: once is enough.
      if (rendered.has(name + line)) continue;
      rendered.add(name + line);
      const messages = messagesOf(line);
      const text = render(messages);
      const last = messages.at(-1) as { content: string };
      // Templates strip the thoughts of thinking models, and trim; the last answer must be there.
      expect(text).toContain(last.content.trim().slice(-40));
    }
  }
};

describe("the chat templates of real models take every sample", () => {
  it.each(READ)("of %s, with its system turn", (preset) => {
    renderAll(SYSTEM, preset, {});
  });
  it.each(READ)("of %s, without one", (preset) => {
    renderAll([...SYSTEM, ...NO_SYSTEM], preset, { greeting: "drop", system: "none" });
  });
  it.each(["ms-swift", "axolotl", "trl", "openai", "together"] as const)(
    "of %s, beginning with a masked greeting",
    (preset) => {
      renderAll(["qwen2.5", "qwen3", "llama3", "llama3.1"], preset, { greeting: "mask" });
    },
  );
  it("with tools", () => {
    for (const preset of ["axolotl", "trl", "openai"] as const)
      for (const line of rowsOf(presets[preset], [withTools()], {}).lines)
        for (const name of ["qwen2.5", "qwen3", "llama3.1", "mistral-v3-tekken"])
          expect(template(name)(messagesOf(line))).toContain("track");
  });
});

describe("the templates are the strict ones that FORMATS.md speaks of", () => {
  it.each(["gemma2", "gemma3", "mistral-v1"])("%s refuses a greeting first, and repeated roles", (name) => {
    const user = { role: "user", content: "a" };
    const assistant = { role: "assistant", content: "b" };
    expect(template(name)([user, assistant])).toContain("b");
    expect(() => template(name)([assistant, user, assistant])).toThrow(/alternate/);
    expect(() => template(name)([user, user, assistant])).toThrow(/alternate/);
  });
  it.each(NO_SYSTEM)("%s refuses a system turn", (name) => {
    const messages = [
      { role: "system", content: "s" },
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ];
    expect(() => template(name)(messages)).toThrow();
  });
});
