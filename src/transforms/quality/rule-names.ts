/** The rules of quality, in the order in which they are tried: the first that is broken names why something is dropped. */
export const QUALITY_RULE_NAMES = ["hang-up", "one-word", "gibberish", "re-prompts", "repetition", "transfer"] as const;

export type QualityRuleName = (typeof QUALITY_RULE_NAMES)[number];
