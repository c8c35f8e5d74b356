import { LANGUAGES } from "../core/sample.ts";
import { type Preset, presets } from "../presets/index.ts";
import { REDACT_CATEGORIES } from "../transforms/redact/categories.ts";
import { writers } from "../writers/index.ts";

// What help says of formats, presets and kinds of personal data comes from their registries.

/** "ndjson, csv, messages or raw". */
export const formatNames = (): string => listed(Object.keys(writers));

/** @param suits which presets are meant; @default all */
export const presetNames = (suits: (preset: Preset) => boolean = () => true): string =>
  Object.values(presets as Record<string, Preset>)
    .filter(suits)
    .map(({ name }) => name)
    .join(", ");

/** "zh, en, mixed or other". */
export const languageNames = (): string => listed(LANGUAGES);

export const categoryNames = (): string => REDACT_CATEGORIES.join(", ");

const listed = (names: readonly string[]): string => `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
