import type { Preset } from "../../presets/index.ts";
import type { DataFile } from "../../reports/facts.ts";

/** With one preset the files of a data set lie in its folder, with several each has its own. */
export const prefixOf = (preset: Pick<Preset, "name">, presets: number): string =>
  presets > 1 ? `${preset.name}/` : "";

/** The files that presets add beside their data. */
export const presetSidecars = (
  presets: readonly Preset[],
  dataFiles: readonly DataFile[],
): { name: string; text: string }[] =>
  presets.flatMap((preset) => {
    const own = dataFiles.filter((file) => file.preset === preset.name);
    const prefix = prefixOf(preset, presets.length);
    const named = own.map(({ split, name }) => ({ split, name: name.slice(prefix.length) }));
    return (preset.sidecars?.(named) ?? []).map(({ name, text }) => ({ name: `${prefix}${name}`, text }));
  });
