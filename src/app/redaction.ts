import { UsageError } from "../core/errors.ts";
import type { RedactCategory, RedactOptions, Redactor } from "../transforms/redact/index.ts";
import type { Host } from "./context.ts";
import type { RedactRequest } from "./requests.ts";

/** Whether a request redacts anything. */
export const redacts = ({ redact, redactPattern, redactCommand }: RedactRequest): boolean =>
  redact !== undefined || redactPattern !== undefined || redactCommand !== undefined;

/** What the request wants to be redacted; undefined for nothing. @throws UsageError */
export const redactionOf = async (request: RedactRequest): Promise<RedactOptions | undefined> => {
  if (!redacts(request)) return undefined;
  const { redact, redactPattern } = request;
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

/** Before any work: a command that cannot run redacts nothing. @throws UsageError */
export const checkRedactCommand = async ({ redactCommand }: RedactRequest, host: Host): Promise<void> => {
  if (redactCommand === undefined) return;
  const { commandLineOf } = await import("./command/command-line.ts");
  commandLineOf(redactCommand, "--redact-command", host);
};
