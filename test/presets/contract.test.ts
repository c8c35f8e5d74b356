import { describe, expect, it } from "vitest";
import { isPreset, presets } from "../../src/presets/index.ts";
import { voiceSample } from "../../src/transforms/curate/voice.ts";
import { jsonLine } from "../../src/writers/shape.ts";
import { presetContract, rowsOf } from "../contracts/preset.ts";
import { CALLS, emulatedCalls } from "./calls.ts";
import { readers } from "./readers.ts";

let calls: ReturnType<typeof emulatedCalls> | undefined;
const some = () => {
  calls ??= emulatedCalls(CALLS);
  return calls;
};

for (const [name, preset] of Object.entries(presets)) {
  if (isPreset(name)) presetContract(preset, readers[name], some);
}

describe("the registry", () => {
  it("gives each preset its own name, and a line for the help", () => {
    for (const [name, preset] of Object.entries(presets)) {
      expect(preset.name).toBe(name);
      expect(preset.summary).toMatch(/^.{10,90}$/);
    }
  });
  it("gives each rule one id within its preset, and says what its reader does", () => {
    for (const { rules } of Object.values(presets)) {
      expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
      for (const { id, effect } of rules)
        expect([id, effect]).toEqual([expect.stringMatching(/^[a-z-]+$/), expect.stringMatching(/\.$/)]);
    }
  });
});

describe("export -f messages", () => {
  it("gives the rows of the preset with its default policy", async () => {
    const made = (await some()).map((call) => voiceSample(call)).filter((sample) => "messages" in sample);
    const lines = made.map(({ messages }) => jsonLine({ messages }));
    expect(rowsOf(presets.messages, await some(), {}).lines).toEqual(lines);
  });
});
