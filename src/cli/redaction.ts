import { UsageError } from "../core/errors.ts";
import type { Transcript } from "../core/transcript.ts";
import type { RedactCategory, Redaction } from "../transforms/redact/index.ts";
import type { RedactFlags } from "./options.ts";

/** What the flags want redacted; undefined when nothing is. @throws UsageError */
export const redactorOf = async ({
  redact,
  redactPattern,
}: RedactFlags): Promise<((transcript: Transcript) => Redaction) | undefined> => {
  if (redact === undefined && redactPattern === undefined) return undefined;
  const { createRedactor, parsePattern, REDACT_CATEGORIES } = await import("../transforms/redact/index.ts");
  const names = redact?.includes("all") ? [...REDACT_CATEGORIES] : (redact ?? []);
  const isCategory = (name: string): name is RedactCategory => (REDACT_CATEGORIES as readonly string[]).includes(name);
  const stray = names.find((name) => !isCategory(name));
  if (stray !== undefined)
    throw new UsageError(`--redact knows ${REDACT_CATEGORIES.join(", ")} and all, not "${stray}".`);
  return createRedactor({ categories: names.filter(isCategory), patterns: (redactPattern ?? []).map(parsePattern) });
};
