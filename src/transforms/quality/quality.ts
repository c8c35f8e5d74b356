import { UsageError } from "../../core/errors.ts";
import type { Transcript } from "../../core/transcript.ts";
import { QUALITY_RULE_NAMES, type QualityRuleName } from "./rule-names.ts";
import { QUALITY_RULES, type QualityRule } from "./rules.ts";
import { spokenIn } from "./talk.ts";

/** The thresholds of the rules that are on. */
export type QualityPolicy = ReadonlyMap<QualityRuleName, number>;

/**
Parses `--quality` and `--quality-rule`: all rules, or only those that are named, as `NAME`, `NAME=THRESHOLD` or `NAME=off`.
Undefined when no rule is on.

@throws UsageError for an unknown rule or a threshold that it cannot have
*/
export const parseQuality = (all: boolean, rules: readonly string[] = []): QualityPolicy | undefined => {
  const thresholds = new Map<QualityRuleName, number>();
  if (all) for (const name of QUALITY_RULE_NAMES) thresholds.set(name, QUALITY_RULES[name].default);
  for (const text of rules) {
    const [name = "", value, ...rest] = text.split("=");
    if (!isRule(name) || rest.length > 0)
      throw new UsageError(`--quality-rule has no rule "${name}". It has: ${QUALITY_RULE_NAMES.join(", ")}.`);
    if (value === "off") thresholds.delete(name);
    else thresholds.set(name, value === undefined ? QUALITY_RULES[name].default : thresholdOf(name, value));
  }
  return thresholds.size === 0 ? undefined : thresholds;
};

const isRule = (name: string): name is QualityRuleName => Object.hasOwn(QUALITY_RULES, name);

const thresholdOf = (name: QualityRuleName, text: string): number => {
  const value = Number(text);
  const isNumber = /^(?:\d+(?:\.\d+)?|\.\d+)$/.test(text);
  if (QUALITY_RULES[name].kind === "share") {
    if (isNumber && value > 0 && value <= 1) return value;
    throw new UsageError(`--quality-rule ${name} needs a share above 0 and up to 1, or off, not "${text}".`);
  }
  if (isNumber && Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--quality-rule ${name} needs a whole number, 1 or more, or off, not "${text}".`);
};

/** The first rule that a conversation breaks; undefined for none. */
export const brokenRule = (
  transcript: Pick<Transcript, "turns">,
  policy: QualityPolicy,
): QualityRuleName | undefined => {
  const spoken = spokenIn(transcript);
  return QUALITY_RULE_NAMES.find((name) => {
    const threshold = policy.get(name);
    const rule: QualityRule = QUALITY_RULES[name];
    return threshold !== undefined && rule.isBroken(spoken, threshold, transcript);
  });
};

/** The rules that are on, for the card and the report: `hang-up=1, transfer=2`. */
export const shownQuality = (policy: QualityPolicy): string =>
  QUALITY_RULE_NAMES.flatMap((name) => (policy.has(name) ? [`${name}=${policy.get(name)}`] : [])).join(", ");
