import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { callTranscript } from "../../src/parse/call-log.ts";
import { type PresetOptions, presets } from "../../src/presets/index.ts";
import { curate, type Policy } from "../../src/transforms/curate/curate.ts";
import { rowsOf } from "../contracts/preset.ts";
import { withTools } from "./calls.ts";

const bytes = readFileSync(new URL("../fixtures/seed/b9566.json", import.meta.url));
const seed = callTranscript({ id: "b9566********************3c5eb2", document: { bytes, sha256: "00" } });
const folder = new URL("../golden/presets/", import.meta.url).pathname;
const lines = (name: keyof typeof presets, policy: Policy = {}, options: PresetOptions = {}): string =>
  rowsOf(presets[name], [seed], policy, options).lines.join("");

describe("the documentation's call", () => {
  it.each(Object.keys(presets) as (keyof typeof presets)[])("as %s", async (name) => {
    await expect(lines(name)).toMatchFileSnapshot(`${folder}${name}.jsonl`);
  });
  it.each(["ms-swift", "axolotl", "openai", "together"] as const)("as %s, its greeting masked", async (name) => {
    await expect(lines(name, { greeting: "mask" })).toMatchFileSnapshot(`${folder}${name}.masked.jsonl`);
  });
  it("as messages is what export writes", () => {
    expect(lines("messages")).toBe(readFileSync(`${folder}../messages.jsonl`, "utf8"));
  });
  it("as bailian for thinking models, with content in parts", async () => {
    const text = lines("bailian", {}, { think: "empty", parts: true });
    await expect(text).toMatchFileSnapshot(`${folder}bailian.think.jsonl`);
    expect(JSON.parse(text).messages[1].content[0].text).toMatch(/^<think>\n\n<\/think>\n\nOnce upon a time/);
  });
});

describe("reasoning", () => {
  it("is written by bailian alone, and only when asked", () => {
    const call = withTools();
    call.turns = call.turns.filter(({ role, toolCalls }) => role !== "tool" && toolCalls === undefined);
    for (const turn of call.turns) if (turn.role === "agent") turn.reasoning = "Hm.";
    const curated = curate(call, {});
    if ("reason" in curated) throw new Error(curated.reason);
    const [sample] = curated.samples;
    if (sample === undefined) throw new Error("no sample");
    for (const preset of Object.values(presets)) expect(JSON.stringify(preset.line(sample))).not.toContain("Hm.");
    const thinking = presets.bailian.line(sample, { think: "reasoning" });
    expect(JSON.stringify(thinking)).toContain(JSON.stringify("<think>\nHm.\n</think>\n\nIn Hangzhou.").slice(1, -1));
  });
});

describe("tools", () => {
  const express = ["llama-factory", "ms-swift", "axolotl", "trl", "openai"] as const;
  it.each(express)("are kept by %s", async (name) => {
    const { lines, refused } = rowsOf(presets[name], [withTools()], {});
    expect(refused).toEqual([]);
    await expect(lines.join("")).toMatchFileSnapshot(`${folder}${name}.tools.jsonl`);
  });
  it("are refused by name where there is no place for them", () => {
    const others = Object.values(presets).filter(({ name }) => !(express as readonly string[]).includes(name));
    expect(others.map(({ name }) => name)).toEqual(["messages", "bailian", "together", "sharegpt", "alpaca"]);
    for (const preset of others)
      expect(rowsOf(preset, [withTools()], {})).toEqual({ lines: [], refused: ["tool-calls"], dropped: [] });
  });
  it("that a preset has no place for in this form are refused by name too", () => {
    const refused = (name: keyof typeof presets, call = withTools()) => rowsOf(presets[name], [call], {}).refused;
    expect(refused("llama-factory", withTools({ text: "One moment." }))).toEqual(["tool-call-with-text"]);
    const calls = [
      { id: "a", name: "f", arguments: "{}" },
      { id: "call00001", name: "g", arguments: "{}" },
    ];
    const parallel = withTools({ toolCalls: calls });
    parallel.turns.splice(3, 0, { id: "x", role: "tool", kind: "normal", text: "1", toolCallId: "a" });
    expect(refused("llama-factory", parallel)).toEqual(["parallel-tool-results"]);
    expect(refused("openai", parallel)).toEqual([]);
    const broken = withTools({ toolCalls: [{ id: "call00001", name: "f", arguments: "nope" }] });
    for (const name of ["llama-factory", "ms-swift"] as const)
      expect(refused(name, broken)).toEqual(["tool-arguments-not-json"]);
    expect(refused("openai", broken)).toEqual([]);
  });
});

describe("LLaMA-Factory's dataset_info.json", () => {
  it("names each file with all of its tags", async () => {
    const files = [
      { split: "train", name: "train-00000-of-00002.jsonl" },
      { split: "train", name: "train-00001-of-00002.jsonl" },
      { split: "test", name: "test.jsonl" },
    ];
    const [sidecar] = presets["llama-factory"].sidecars?.(files) ?? [];
    expect(sidecar?.name).toBe("dataset_info.json");
    await expect(sidecar?.text).toMatchFileSnapshot(`${folder}dataset_info.json`);
  });
});
