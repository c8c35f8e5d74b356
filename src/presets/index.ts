import { alpaca } from "./alpaca.ts";
import { axolotl } from "./axolotl.ts";
import { bailian } from "./bailian.ts";
import { llamaFactory } from "./llama-factory.ts";
import { messages } from "./messages.ts";
import { msSwift } from "./ms-swift.ts";
import { openai } from "./openai.ts";
import type { Preset } from "./shape.ts";
import { sharegpt } from "./sharegpt.ts";
import { together } from "./together.ts";
import { trl } from "./trl.ts";

export type { Preset, PresetOptions } from "./shape.ts";

/** Every kind of fine-tuning file: adding one is adding one file and one line. */
export const presets = {
  messages,
  bailian,
  "llama-factory": llamaFactory,
  "ms-swift": msSwift,
  axolotl,
  trl,
  openai,
  together,
  sharegpt,
  alpaca,
} satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

export const isPreset = (name: string): name is PresetName => Object.hasOwn(presets, name);

/** What a policy asks of its presets; `needsOf` in transforms says it. */
interface Needs {
  loss: boolean;
  greetingFirst: boolean;
  emptyUser: boolean;
}

/** Which of its needs a preset cannot meet, so that a run that would drop everything is refused before it begins. */
export const conflicts = ({ can }: Preset, needs: Needs): ("greetingFirst" | "emptyUser")[] =>
  (["greetingFirst", "emptyUser"] as const).filter((need) => needs[need] && !can[need]);
