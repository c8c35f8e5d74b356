import { type Preset, presets } from "../presets/index.ts";
import { REDACT_CATEGORIES } from "../transforms/redact/categories.ts";
import { writers } from "../writers/index.ts";

// The help takes the names of formats, presets and kinds of personal data from their registries.

/** "ndjson, csv, messages or raw". */
export const formatNames = (): string => listed(Object.keys(writers));

/** @param suits selects presets; @default all */
export const presetNames = (suits: (preset: Preset) => boolean = () => true): string =>
  Object.values(presets as Record<string, Preset>)
    .filter(suits)
    .map(({ name }) => name)
    .join(", ");

export const categoryNames = (): string => REDACT_CATEGORIES.join(", ");

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
