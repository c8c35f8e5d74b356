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

/** All kinds of fine-tuning files. To add one, add a file and a line here. */
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

/** What samples need of a preset: the result of `needsOf` in transforms. */
interface Needs {
  loss: boolean;
  masking: boolean;
  greetingFirst: boolean;
  emptyUser: boolean;
}

/** Whether turns can be excluded from learning: by a key, or because only a row's last turn is learned. */
export const canMask = ({ can, unit }: Preset): boolean => can.loss !== undefined || unit === "turn";

/**
The needs that a preset cannot meet. Checked before a run, because the preset would drop all samples, or teach what must
not be learned.
*/
export const conflicts = (preset: Preset, needs: Needs): ("greetingFirst" | "emptyUser" | "masking")[] => [
  ...(["greetingFirst", "emptyUser"] as const).filter((need) => needs[need] && !preset.can[need]),
  ...(needs.masking && !canMask(preset) ? (["masking"] as const) : []),
];
