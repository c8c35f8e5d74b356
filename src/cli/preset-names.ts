import { type Preset, presets } from "../presets/index.ts";

/**
The presets' names as help lists them.

@param suits which presets are meant; @default all
*/
export const presetNames = (suits: (preset: Preset) => boolean = () => true): string =>
  Object.values(presets as Record<string, Preset>)
    .filter(suits)
    .map(({ name }) => name)
    .join(", ");
