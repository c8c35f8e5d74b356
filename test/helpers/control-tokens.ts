import { readFileSync } from "node:fs";
import type { JsonObject } from "../../src/core/transcript.ts";
import { TOKENIZER } from "./tokenizer.ts";

interface Family {
  /** The package of npm and the place in it. */
  source: string;
  normalizer: JsonObject | null;
  tokens: string[];
  numbered: { name: string; first: number; last: number }[];
}

/**
The control tokens of real tokenizers: all that are special, and the added ones that templates use. Gemma's added tokens
for HTML and for runs of spaces are left out: they are the text itself.
*/
const RAW: Record<string, Family> = JSON.parse(
  readFileSync(new URL("../fixtures/control-tokens.json", import.meta.url), "utf8"),
);

const tokensOf = ({ tokens, numbered }: Family): string[] => [
  ...tokens,
  ...numbered.flatMap(({ name, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, index) => name.replace("*", String(first + index))),
  ),
];

/** The tokens by the name of the family's chat template. */
export const FAMILIES: Record<string, string[]> = Object.fromEntries(
  Object.entries(RAW).map(([name, family]) => [name, tokensOf(family)]),
);

/** Those of all families, each once. */
export const TOKENS: string[] = [...new Set(Object.values(FAMILIES).flat())];

/** A small tokenizer that reads all control tokens of a family as the real one does. @param normalizer its own by default */
export const tokenizerOf = (family: string, normalizer?: JsonObject) => ({
  ...TOKENIZER,
  normalizer: normalizer ?? RAW[family]?.normalizer ?? null,
  added_tokens: (FAMILIES[family] ?? []).map((content, index) => ({
    id: 10_000 + index,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: normalizer !== undefined,
  })),
});
