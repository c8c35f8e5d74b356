import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { DatasetFlags } from "../../cli/dataset-options.ts";
import type { Io } from "../../cli/io.ts";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { Message } from "../../core/sample.ts";
import type { Transcript } from "../../core/transcript.ts";
import { conflicts, isPreset, type Preset, type PresetOptions, presets } from "../../presets/index.ts";
import { needsOf, type Policy } from "../../transforms/curate/curate.ts";
import type { Redaction } from "../../transforms/redact/index.ts";
import { createSplitter, parseSplits, type Split } from "../../transforms/split.ts";
import type { Count } from "../../transforms/tokens/tokens.ts";
import { redactorOf } from "../redaction.ts";

/** A preset with what this run asks of it. */
export interface Wanted {
  preset: Preset;
  options: PresetOptions;
}

/** All that a run needs to know, checked before it begins. */
export interface Plan {
  wanted: Wanted[];
  policy: Policy;
  /** Undefined when every language is welcome. */
  languages: ReadonlySet<string> | undefined;
  splits: Split[];
  splitOf: (callId: string) => string;
  redact: ((transcript: Transcript) => Redaction) | undefined;
  budget: { tokens: number; mode: "drop" | "cut"; count: Count } | undefined;
  /** What was asked for, by option, for the card and the report. */
  policies: Record<string, string | number | boolean>;
}

const DEFAULT_PRESETS = ["messages"];
const LANGUAGES = ["zh", "en", "mixed", "other"];

/** @throws UsageError for anything that cannot be, or that a preset cannot express */
export const planOf = async (flags: DatasetFlags, io: Io): Promise<Plan> => {
  if (flags.task === "text-to-sql")
    throw new UsageError("--task text-to-sql is made of query logs, which this version does not archive yet.");
  const policy = await policyOf(flags, io);
  const needs = needsOf(policy);
  const wanted = [...new Set(flags.preset ?? DEFAULT_PRESETS)].map((name): Wanted => {
    if (!isPreset(name))
      throw new UsageError(`There is no preset "${name}". There are: ${Object.keys(presets).join(", ")}.`);
    const preset: Preset = presets[name];
    const [lack] = conflicts(preset, needs);
    if (lack)
      throw new UsageError(
        `${name} cannot express --greeting ${flags.greeting}; it would drop every call. Use --greeting system or drop.`,
      );
    if (flags.gzip && preset.plainOnly)
      throw new UsageError(`${preset.reader} does not read compressed files: leave out --gzip.`);
    const loss = needs.loss && preset.can.loss !== undefined;
    const think = name === "bailian" && flags.think ? { think: flags.think } : {};
    return {
      preset,
      options: { ...(loss && { loss }), ...(name === "bailian" && flags.contentParts && { parts: true }), ...think },
    };
  });
  if (flags.parquet && flags.gzip) throw new UsageError("Parquet is compressed by itself: leave out --gzip.");
  for (const name of flags.language ?? [])
    if (!LANGUAGES.includes(name)) throw new UsageError(`--language knows ${LANGUAGES.join(", ")}, not "${name}".`);
  const splits = parseSplits(flags.split);
  return {
    wanted,
    policy,
    languages: flags.language && new Set(flags.language),
    splits,
    splitOf: createSplitter(splits, flags.seed),
    redact: await redactorOf(flags),
    budget: await budgetOf(flags, io),
    policies: policiesOf(flags, policy),
  };
};

const policyOf = async (flags: DatasetFlags, io: Io): Promise<Policy> => {
  const {
    greeting,
    interrupted,
    expand,
    stripFillers,
    kind,
    minTurns,
    maxTurns,
    minDuration,
    maxCallDuration: maxDuration,
    minCharacters,
  } = flags;
  const system = flags.systemFile === undefined ? flags.system : await textOf(resolve(io.cwd, flags.systemFile));
  return {
    greeting,
    interrupted,
    expand,
    system: system === "auto" || system === "none" ? system : { text: system },
    ...(stripFillers && { stripFillers }),
    ...(kind && { kinds: kind }),
    ...(minTurns !== undefined && { minTurns }),
    ...(maxTurns !== undefined && { maxTurns }),
    ...(minDuration !== undefined && { minDuration }),
    ...(maxDuration !== undefined && { maxDuration }),
    ...(minCharacters !== undefined && { minCharacters }),
  };
};

const textOf = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw new UsageError(`--system-file cannot be read: ${messageOf(error)}`);
  }
};

const DEFAULT_TOKENIZER = "qwen3";

/** A tokenizer alone counts: then every sample is within the budget. */
const budgetOf = async (flags: DatasetFlags, io: Io): Promise<Plan["budget"]> => {
  const { maxTokens = Number.POSITIVE_INFINITY, overBudget } = flags;
  if (flags.maxTokens === undefined && flags.tokenizer === undefined) return undefined;
  const tokenizer = flags.tokenizer ?? DEFAULT_TOKENIZER;
  const { createCounter } = await import("../../transforms/tokens/tokens.ts");
  const name = tokenizer === "qwen3" || tokenizer === "o200k" ? tokenizer : resolve(io.cwd, tokenizer);
  return { tokens: maxTokens, mode: overBudget, count: await createCounter({ tokenizer: name }) };
};

const tokenizerName = (name: string): string => (/^(qwen3|o200k)$/.test(name) ? name : "a tokenizer.json");

/** Of a sample under the budget; undefined when none of it fits. */
export const withinBudget = async (
  messages: Message[],
  budget: NonNullable<Plan["budget"]>,
): Promise<{ messages: Message[]; tokens: number } | undefined> => {
  const { fitBudget } = await import("../../transforms/tokens/tokens.ts");
  const fitted = fitBudget(messages, budget.tokens, budget.mode, budget.count);
  return fitted && { messages: [...fitted.messages], tokens: fitted.tokens };
};

/** Only what shapes the set; the texts themselves stay out. */
const policiesOf = (flags: DatasetFlags, policy: Policy): Plan["policies"] => ({
  presets: (flags.preset ?? DEFAULT_PRESETS).join(", "),
  greeting: flags.greeting,
  system: typeof policy.system === "object" ? "a fixed text" : flags.system,
  interrupted: flags.interrupted,
  expand: flags.expand,
  dedupe: flags.dedupe,
  split: flags.split,
  shuffle: flags.shuffle === true,
  ...(flags.sample !== undefined && { sample: flags.sample }),
  ...(flags.stripFillers && { "strip-fillers": true }),
  ...(flags.kind && { kind: flags.kind.join(", ") }),
  ...(flags.status && { status: flags.status }),
  ...(flags.minTurns !== undefined && { "min-turns": flags.minTurns }),
  ...(flags.maxTurns !== undefined && { "max-turns": flags.maxTurns }),
  ...(flags.minDuration !== undefined && { "min-duration": `${flags.minDuration} s` }),
  ...(flags.maxCallDuration !== undefined && { "max-call-duration": `${flags.maxCallDuration} s` }),
  ...(flags.minCharacters !== undefined && { "min-characters": flags.minCharacters }),
  ...(flags.language && { language: flags.language.join(", ") }),
  ...((flags.maxTokens !== undefined || flags.tokenizer !== undefined) && {
    tokenizer: tokenizerName(flags.tokenizer ?? DEFAULT_TOKENIZER),
  }),
  ...(flags.maxTokens !== undefined && { "max-tokens": flags.maxTokens, "over-budget": flags.overBudget }),
  ...(flags.redact && { redact: flags.redact.join(", ") }),
  ...(flags.redactPattern && { "redact-pattern": flags.redactPattern.map((text) => text.split("=")[0]).join(", ") }),
});
