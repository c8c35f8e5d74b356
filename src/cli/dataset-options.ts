import { Option } from "commander";
import type { DatasetRequest } from "../app/dataset/request.ts";
import { DATASET_DEFAULTS, DEFAULT_PRESETS, SCORE_TIMEOUT } from "../app/defaults.ts";
import { LANGUAGES, SPLIT_UNITS, TASKS, type Task } from "../core/sample.ts";
import { QUALITY_RULE_NAMES } from "../transforms/quality/rule-names.ts";
import { redactOptions, type SelectionFlags } from "./options.ts";
import { presetNames } from "./preset-names.ts";
import { tokenOptions } from "./token-options.ts";
import { bytes, number, seconds, several, share, whole } from "./values.ts";

/** The flags of `dataset` as commander gives them: a list is named like its flag, in the singular. */
export type DatasetFlags = Omit<
  DatasetRequest,
  "ids" | "idsFile" | "sources" | "agents" | "presets" | "kinds" | "languages" | "qualityRules"
> &
  SelectionFlags & { preset?: string[]; kind?: string[]; language?: string[]; qualityRule?: string[] };

const option = (flags: string, description: string, parse?: (text: string, before: never) => unknown): Option => {
  const result = new Option(flags, description);
  return parse ? result.argParser(parse as (text: string, before: unknown) => unknown) : result;
};

/** The flags that only one task has; all others belong to every task. */
export const OWN_FLAGS: Readonly<Record<string, readonly Task[]>> = {
  greeting: ["chat"],
  interrupted: ["chat"],
  mergeGap: ["chat"],
  silenceToken: ["chat"],
  stripFillers: ["chat"],
  kind: ["chat"],
  expand: ["chat"],
  minTurns: ["chat"],
  maxTurns: ["chat"],
  minDuration: ["chat"],
  maxCallDuration: ["chat"],
  minCharacters: ["chat"],
  quality: ["chat"],
  qualityRule: ["chat"],
  sqlSchema: ["text-to-sql"],
};

export const datasetOptions = (): Record<string, Option[]> => ({
  Samples: [
    option(
      "--task <task>",
      "what the data set teaches: chat makes samples of dialogs; text-to-sql makes them of the query log, each a question and the SQL that answers it",
    )
      .choices(TASKS)
      .default(DATASET_DEFAULTS.task),
    option(
      "--preset <name>",
      `file format of a trainer: ${presetNames()}; repeatable (default: ${DEFAULT_PRESETS.join(", ")})`,
      several,
    ),
    option(
      "--greeting <policy>",
      "the agent's words before the caller's first: drop removes them, system quotes them in the system turn, pad puts an empty user turn before them, mask keeps them without learning them",
    )
      .choices(["drop", "system", "pad", "mask"])
      .default(DATASET_DEFAULTS.greeting),
    option("--system <text>", "system turn: auto (the call's own prompt), none, or this text").default(
      DATASET_DEFAULTS.system,
    ),
    option("--system-file <file>", "read the system turn from this file"),
    option("--sql-schema", "text-to-sql: add the columns of the result to the system turn"),
    option(
      "--interrupted <policy>",
      "answers that the caller interrupted: mask keeps what was heard and does not learn it, clause cuts it back to a whole sentence or clause, auto does mask where the preset can say so and else clause, cut learns half answers, keep keeps also what was not heard and does not learn it",
    )
      .choices(["auto", "mask", "clause", "cut", "keep"])
      .default(DATASET_DEFAULTS.interrupted),
    option(
      "--merge-gap <time>",
      "turns of the agent further apart are not one answer, although the caller said nothing between them: leave out the later ones",
      seconds,
    ).default(DATASET_DEFAULTS.mergeGap, "8s"),
    option("--silence-token <text>", "keep those later ones, as the answer to this text of the caller"),
    option(
      "--special-tokens <how>",
      "texts that models read as control tokens, such as <|im_end|>: escape breaks them with a backslash, strip removes them, drop drops the call, keep leaves them",
    )
      .choices(["escape", "strip", "drop", "keep"])
      .default(DATASET_DEFAULTS.specialTokens),
    option("--strip-fillers", 'remove "um", 嗯 and similar fillers from what callers say'),
    option("--kind <kinds>", "only turns of these kinds, for example normal", several),
    option("--expand <unit>", "one sample per call, or one per agent turn")
      .choices(["call", "turn"])
      .default(DATASET_DEFAULTS.expand),
    option(
      "--content-parts",
      `write content as a list of parts (only ${presetNames(({ can }) => can.parts === true)})`,
    ),
    option(
      "--think <mode>",
      `for thinking models, write <think> before each answer: empty, or the source's reasoning (only ${presetNames(({ can }) => can.think === true)})`,
    ).choices(["empty", "reasoning"]),
  ],
  Limits: [
    option("--min-turns <n>", "drop dialogs with fewer turns", whole(1)),
    option("--max-turns <n>", "drop dialogs with more turns", whole(1)),
    option("--min-duration <time>", "drop shorter calls: seconds, or 90s, 5m", seconds),
    option("--max-call-duration <time>", "drop longer calls: seconds, or 90s, 5m", seconds),
    option("--min-characters <n>", "drop dialogs with fewer characters", whole(1)),
    option("--max-characters <n>", "drop samples with more characters in all texts together", whole(1)),
    option("--language <names>", `keep only dialogs in these languages: ${LANGUAGES.join(", ")}`, several),
    ...tokenOptions(),
    option("--over-budget <how>", "samples larger than --max-tokens: drop them, or cut them after a whole turn")
      .choices(["drop", "cut"])
      .default(DATASET_DEFAULTS.overBudget),
  ],
  Quality: [
    option("--quality", `drop conversations that break a rule of quality: ${QUALITY_RULE_NAMES.join(", ")}`),
    option(
      "--quality-rule <rule>",
      "switch one rule on, with its threshold or another one (re-prompts=4), or off (transfer=off); repeatable",
      several,
    ),
    option(
      "--score-command <command>",
      "a program that scores samples; the archive keeps the scores beside it; see docs/datasets.md",
    ),
    option("--score-timeout <time>", "how long that program may be silent, for example 5m", seconds).default(
      SCORE_TIMEOUT,
      `${SCORE_TIMEOUT / 60}m`,
    ),
    option(
      "--scores <file>",
      "scores by sample: CSV or JSON lines with id and score, or an export of Argilla or Label Studio; repeatable",
      (text, before?: string[]) => [...(before ?? []), text],
    ),
    option("--min-score <n>", "drop samples with a lower score, or without one", number),
  ],
  Redaction: redactOptions(),
  Set: [
    option(
      "--dedupe <how>",
      "drop exact copies of samples, also near copies, or none; except with none, copies are never in two splits",
    )
      .choices(["exact", "near", "none"])
      .default(DATASET_DEFAULTS.dedupe),
    option(
      "--dedupe-threshold <share>",
      "how similar near copies are, from 0.5 to 1; numbers, names and placeholders count as equal (default: 0.7)",
      share(0.5, 1),
    ),
    option(
      "--exclude <file>",
      "leave out samples that are in this evaluation file, exactly or nearly: JSON lines of any preset, CSV, Parquet or a text per line (.txt); repeatable",
      (text, before?: string[]) => [...(before ?? []), text],
    ),
    option(
      "--split <shares>",
      "splits and their shares; a hash of the call's id decides, so a call never changes its split",
    ).default(DATASET_DEFAULTS.split),
    option(
      "--split-by <unit>",
      "what is never in two splits: a conversation, all of a caller (by phone number or user id), of an agent, or of a session",
    )
      .choices(SPLIT_UNITS)
      .default(DATASET_DEFAULTS.splitBy),
    option("--seed <text>", "change the choice of splits, order and sample").default(DATASET_DEFAULTS.seed),
    option("--shuffle", "order samples by a seeded hash instead of by start time"),
    option("--sample <n>", "keep only n samples, chosen by a seeded hash", whole(1)),
    option("--per-agent <n>", "keep only n samples of each agent, chosen by a seeded hash", whole(1)),
    option(
      "--balance <unit>",
      "as many samples of each agent, language, or range of lengths: as many as the fewest, or with --sample n in all",
    ).choices(["agent", "language", "length"]),
  ],
  Output: [
    option("-o, --output <folder>", "folder for the data set").default("dataset"),
    option("--max-file-size <size>", "start a new file before one gets larger than this: 200MB", bytes),
    option("--gzip", "compress the files (.jsonl.gz)"),
    option("--parquet", "write Parquet instead of JSONL"),
  ],
});
