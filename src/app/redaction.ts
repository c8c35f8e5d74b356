import { UsageError } from "../core/errors.ts";
import type { RedactCategory, RedactOptions, Redactor } from "../transforms/redact/index.ts";
import type { RedactRequest } from "./requests.ts";

/** What the request wants to be redacted; undefined for nothing. @throws UsageError */
export const redactionOf = async ({ redact, redactPattern }: RedactRequest): Promise<RedactOptions | undefined> => {
  if (redact === undefined && redactPattern === undefined) return undefined;
  const { parsePattern, REDACT_CATEGORIES } = await import("../transforms/redact/index.ts");
  const names = redact?.includes("all") ? [...REDACT_CATEGORIES] : (redact ?? []);
  const isCategory = (name: string): name is RedactCategory => (REDACT_CATEGORIES as readonly string[]).includes(name);
  const unknown = names.find((name) => !isCategory(name));
  if (unknown !== undefined)
    throw new UsageError(`--redact has no category "${unknown}". It has: ${REDACT_CATEGORIES.join(", ")}, all.`);
  return { categories: names.filter(isCategory), patterns: (redactPattern ?? []).map(parsePattern) };
};

/** The redactor that a request asks for; undefined for none. @throws UsageError */
export const redactorOf = async (request: RedactRequest): Promise<Redactor | undefined> => {
  const options = await redactionOf(request);
  if (options === undefined) return undefined;
  const { createRedactor } = await import("../transforms/redact/index.ts");
  return createRedactor(options);
};
