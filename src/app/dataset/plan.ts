import { readFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import { LANGUAGES, type Message } from "../../core/sample.ts";
import type { Preset, PresetOptions } from "../../presets/index.ts";
import { needsOf, type Policy } from "../../transforms/curate/curate.ts";
import { parseQuality, type QualityPolicy } from "../../transforms/quality/quality.ts";
import { createSplitter, parseSplits, type Split } from "../../transforms/split.ts";
import { type SplitSubject, splitKey } from "../../transforms/split-key.ts";
import type { SqlPolicy } from "../../transforms/sql/text-to-sql.ts";
import type { Host } from "../context.ts";
import { DEFAULT_PRESETS, DEFAULT_TOKENIZER } from "../defaults.ts";
import { type Reader, readerOf } from "../reading.ts";
import { checkRedactCommand, redacts } from "../redaction.ts";
import { type Exclusions, exclusionsOf } from "./exclude.ts";
import { presetsFor } from "./presets-for.ts";
import type { DatasetRequest } from "./request.ts";
import type { Scores } from "./scores/gate.ts";
import { scoresOf } from "./scores/scores.ts";
import { selectionPolicies } from "./selection-policies.ts";

/** A preset with what this run asks of it. */
export interface PresetPlan {
  preset: Preset;
  options: PresetOptions;
}

/** All that a run needs to know, checked before it begins. */
export interface DatasetPlan {
  wanted: PresetPlan[];
  /** With `sql` only its defaults, which all presets can express, and `specialTokens`. */
  policy: Policy;
  /** Of the task `text-to-sql`; undefined for chats. */
  sql?: SqlPolicy | undefined;
  /** Undefined when every language is welcome. */
  languages: ReadonlySet<string> | undefined;
  splits: Split[];
  splitOf: (conversation: SplitSubject) => string;
  reader: Reader;
  /** Whether the reader redacts. */
  redacts: boolean;
  /** The status that calls must have, if any. */
  status: string | undefined;
  dedupe: DatasetRequest["dedupe"];
  /** The least similarity of near copies; undefined for the default. */
  dedupeThreshold: number | undefined;
  /** Finds samples that are in the files of `--exclude`. Absent without them. */
  exclusions: Exclusions | undefined;
  /** Cuts messages to the token budget and counts them; undefined when they do not fit. Absent without a budget. */
  withinBudget: ((messages: Message[]) => { messages: Message[]; tokens: number } | undefined) | undefined;
  /** The most characters of a sample; undefined without a limit. */
  maxCharacters?: number | undefined;
  /** The rules of quality; undefined without any. */
  quality?: QualityPolicy | undefined;
  /** Scores samples; undefined when nothing does. */
  scores?: Scores | undefined;
  /** What the set will not be as asked, in words for the user. */
  warnings: string[];
  /** What was asked for, by option, for the card and the report. */
  policies: Record<string, string | number | boolean>;
}

/** @throws UsageError for anything that cannot be, or that a preset cannot express */
export const planOf = async (request: DatasetRequest, host: Host): Promise<DatasetPlan> => {
  const system = await systemOf(request, host);
  const sql = await sqlPolicyOf(request, system);
  const { specialTokens } = request;
  const policy: Policy = sql ? { specialTokens, interrupted: "cut" } : { ...policyOf(request), system };
  const { chosen, warnings } = presetsFor(request, policy);
  const wanted = chosen.map((preset) =>
    presetPlan(preset, policy, {
      ...(request.contentParts && { parts: true }),
      ...(request.think && { think: request.think }),
    }),
  );
  if (request.parquet && request.gzip) throw new UsageError("Parquet is compressed by itself: leave out --gzip.");
  for (const name of request.languages ?? [])
    if (!(LANGUAGES as readonly string[]).includes(name))
      throw new UsageError(`--language knows ${LANGUAGES.join(", ")}, not "${name}".`);
  const { dedupeThreshold = 1 } = request;
  if (!(dedupeThreshold >= 0.5 && dedupeThreshold <= 1))
    throw new UsageError(`--dedupe-threshold must be from 0.5 to 1, not ${dedupeThreshold}.`);
  const splits = parseSplits(request.split);
  const quality = sql ? undefined : parseQuality(request.quality === true, request.qualityRules);
  const { splitBy } = request;
  const splitOfKey = createSplitter(splits, request.seed);
  await checkRedactCommand(request, host);
  return {
    wanted,
    policy,
    sql,
    languages: request.languages && new Set(request.languages),
    splits,
    splitOf: (conversation) => splitOfKey(splitKey(conversation, splitBy)),
    reader: await readerOf(request, host),
    redacts: redacts(request),
    status: request.status,
    dedupe: request.dedupe,
    dedupeThreshold: request.dedupeThreshold,
    exclusions: await exclusionsOf(request, host),
    withinBudget: await budgetOf(request, host),
    warnings,
    maxCharacters: request.maxCharacters,
    quality,
    scores: await scoresOf(request, host),
    policies: { ...policiesOf(request, system), ...selectionPolicies(request, quality) },
  };
};

/** A preset with the options that it supports. */
export const presetPlan = (
  preset: Preset,
  policy: Policy,
  { parts, think }: Pick<PresetOptions, "parts" | "think"> = {},
): PresetPlan => {
  const loss = needsOf(policy).loss && preset.can.loss !== undefined;
  return {
    preset,
    options: {
      ...(loss && { loss }),
      ...(preset.can.parts && parts && { parts }),
      ...(preset.can.think && think && { think }),
    },
  };
};

const systemOf = async (request: DatasetRequest, host: Host): Promise<NonNullable<Policy["system"]>> => {
  const system =
    request.systemFile === undefined ? request.system : await textOf(resolve(host.cwd, request.systemFile));
  return system === "auto" || system === "none" ? system : { text: system };
};

/** The parsers of SQL are loaded only for their task. */
const sqlPolicyOf = async (
  { task, sqlSchema = false }: DatasetRequest,
  system: NonNullable<Policy["system"]>,
): Promise<SqlPolicy | undefined> => {
  if (task !== "text-to-sql") return undefined;
  const { parsesAsSql } = await import("../../transforms/sql/parses.ts");
  return { system, schema: sqlSchema, parses: parsesAsSql };
};

const policyOf = (request: DatasetRequest): Policy => {
  const {
    greeting,
    interrupted,
    mergeGap,
    silenceToken,
    expand,
    specialTokens,
    stripFillers,
    kinds,
    minTurns,
    maxTurns,
    minDuration,
    maxCallDuration: maxDuration,
    minCharacters,
  } = request;
  return {
    greeting,
    interrupted,
    mergeGap,
    expand,
    specialTokens,
    ...(silenceToken !== undefined && { silenceToken }),
    ...(stripFillers && { stripFillers }),
    ...(kinds && { kinds }),
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

/** A tokenizer alone counts: then every sample is within the budget. */
const budgetOf = async (request: DatasetRequest, host: Host): Promise<DatasetPlan["withinBudget"]> => {
  const { maxTokens = Number.POSITIVE_INFINITY, overBudget } = request;
  if (request.maxTokens === undefined && request.tokenizer === undefined) return undefined;
  const tokenizer = request.tokenizer ?? DEFAULT_TOKENIZER;
  const { createCounter, fitBudget } = await import("../../transforms/tokens/tokens.ts");
  const name = tokenizer === "qwen3" || tokenizer === "o200k" ? tokenizer : resolve(host.cwd, tokenizer);
  const count = await createCounter({ tokenizer: name });
  return (messages) => {
    const fitted = fitBudget(messages, maxTokens, overBudget, count);
    return fitted && { messages: [...fitted.messages], tokens: fitted.tokens };
  };
};

const tokenizerName = (name: string): string => (/^(qwen3|o200k)$/.test(name) ? name : "a tokenizer.json");

/** Only what shapes the set; the texts themselves stay out. */
const policiesOf = (request: DatasetRequest, system: NonNullable<Policy["system"]>): DatasetPlan["policies"] => {
  const isChat = request.task === "chat";
  return {
    presets: (request.presets ?? DEFAULT_PRESETS).join(", "),
    ...(isChat && { greeting: request.greeting }),
    system: typeof system === "object" ? "a fixed text" : system,
    ...(isChat && { interrupted: request.interrupted, expand: request.expand }),
    "special-tokens": request.specialTokens,
    ...(!isChat && { "sql-schema": request.sqlSchema === true }),
    dedupe: request.dedupe,
    ...(request.dedupeThreshold !== undefined && { "dedupe-threshold": request.dedupeThreshold }),
    split: request.split,
    ...(request.splitBy !== "conversation" && { "split-by": request.splitBy }),
    ...(request.exclude && { exclude: request.exclude.map((path) => basename(path)).join(", ") }),
    shuffle: request.shuffle === true,
    ...(request.sample !== undefined && { sample: request.sample }),
    ...(request.status && { status: request.status }),
    ...(isChat && dialogPoliciesOf(request)),
    ...(request.languages && { language: request.languages.join(", ") }),
    ...((request.maxTokens !== undefined || request.tokenizer !== undefined) && {
      tokenizer: tokenizerName(request.tokenizer ?? DEFAULT_TOKENIZER),
    }),
    ...(request.maxTokens !== undefined && { "max-tokens": request.maxTokens, "over-budget": request.overBudget }),
    ...(request.redact && { redact: request.redact.join(", ") }),
    ...(request.redactPattern && {
      "redact-pattern": request.redactPattern.map((text) => text.split("=")[0]).join(", "),
    }),
    // Not which: its arguments may hold secrets.
    ...(request.redactCommand !== undefined && { "redact-command": true }),
  };
};

const dialogPoliciesOf = (request: DatasetRequest): DatasetPlan["policies"] => ({
  "merge-gap": `${request.mergeGap} s`,
  ...(request.silenceToken !== undefined && { "silence-token": request.silenceToken }),
  ...(request.stripFillers && { "strip-fillers": true }),
  ...(request.kinds && { kind: request.kinds.join(", ") }),
  ...(request.minTurns !== undefined && { "min-turns": request.minTurns }),
  ...(request.maxTurns !== undefined && { "max-turns": request.maxTurns }),
  ...(request.minDuration !== undefined && { "min-duration": `${request.minDuration} s` }),
  ...(request.maxCallDuration !== undefined && { "max-call-duration": `${request.maxCallDuration} s` }),
  ...(request.minCharacters !== undefined && { "min-characters": request.minCharacters }),
});
