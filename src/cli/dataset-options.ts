import { Option } from "commander";
import type { DatasetRequest } from "../app/dataset/request.ts";
import { DATASET_DEFAULTS, DEFAULT_PRESETS, DEFAULT_TOKENIZER } from "../app/defaults.ts";
import { redactOptions, type SelectionFlags } from "./options.ts";
import { languageNames, presetNames } from "./registries.ts";
import { bytes, seconds, several, whole } from "./values.ts";

/** The flags of `dataset` as commander gives them: lists go by their flag's singular. */
export type DatasetFlags = Omit<DatasetRequest, "ids" | "idsFile" | "agents" | "presets" | "kinds" | "languages"> &
  SelectionFlags & { preset?: string[]; kind?: string[]; language?: string[] };

const option = (flags: string, description: string, parse?: (text: string, before: never) => unknown): Option => {
  const made = new Option(flags, description);
  return parse ? made.argParser(parse as (text: string, before: unknown) => unknown) : made;
};

export const datasetOptions = (): Record<string, Option[]> => ({
  Samples: [
    option(
      "--preset <name>",
      `kind of file: ${presetNames()}; repeatable (default: ${DEFAULT_PRESETS.join(", ")})`,
      several,
    ),
    option("--task <task>", "what is to be learned").choices(["chat", "text-to-sql"]).default(DATASET_DEFAULTS.task),
    option(
      "--greeting <policy>",
      "what the agent says first: quoted in the system turn, dropped, padded, or kept unlearned",
    )
      .choices(["system", "drop", "pad", "mask"])
      .default(DATASET_DEFAULTS.greeting),
    option("--system <text>", "the system turn: auto (the call's own prompt), none, or this text").default(
      DATASET_DEFAULTS.system,
    ),
    option("--system-file <file>", "the system turn, from a file"),
    option("--interrupted <policy>", "where the caller cut in: cut, cut and not learn it (mask), or keep all")
      .choices(["cut", "mask", "keep"])
      .default(DATASET_DEFAULTS.interrupted),
    option("--strip-fillers", 'take "um", 嗯 and their like out of what callers say'),
    option("--kind <kinds>", "only turns of these kinds, for example normal", several),
    option("--expand <unit>", "one sample per call, or one per agent turn")
      .choices(["call", "turn"])
      .default(DATASET_DEFAULTS.expand),
    option("--content-parts", `${presetNames(({ can }) => can.parts === true)}: content as a list of parts`),
    option(
      "--think <mode>",
      `${presetNames(({ can }) => can.think === true)}, thinking models: empty or the source's reasoning before each answer`,
    ).choices(["empty", "reasoning"]),
  ],
  Limits: [
    option("--min-turns <n>", "drop shorter dialogs", whole(1)),
    option("--max-turns <n>", "drop longer dialogs", whole(1)),
    option("--min-duration <time>", "drop shorter calls: seconds, or 90s, 5m", seconds),
    option("--max-call-duration <time>", "drop longer calls: seconds, or 90s, 5m", seconds),
    option("--min-characters <n>", "drop dialogs with less text", whole(1)),
    option("--language <names>", `keep dialogs in ${languageNames()}`, several),
    option("--max-tokens <n>", "keep samples within a budget, counted through the real chat template", whole(1)),
    option(
      "--tokenizer <name|file>",
      `counts tokens, for the report and for --max-tokens: qwen3, o200k, or a tokenizer.json with its template beside it (default with --max-tokens: ${DEFAULT_TOKENIZER})`,
    ),
    option("--over-budget <how>", "drop what is over the budget, or cut it at whole turns")
      .choices(["drop", "cut"])
      .default(DATASET_DEFAULTS.overBudget),
  ],
  Redaction: redactOptions(),
  Set: [
    option("--dedupe <how>", "drop exact copies, near ones too, or none; none ever straddles a split but with none")
      .choices(["exact", "near", "none"])
      .default(DATASET_DEFAULTS.dedupe),
    option("--split <shares>", "by hash of the call, stable for ever").default(DATASET_DEFAULTS.split),
    option("--seed <text>", "another choice of splits, order and sample").default(DATASET_DEFAULTS.seed),
    option("--shuffle", "order by seeded hash instead of by start"),
    option("--sample <n>", "only so many samples, by seeded hash", whole(1)),
  ],
  Output: [
    option("-o, --output <folder>", "where the data set goes").default("dataset"),
    option("--max-file-size <size>", "split files that would be larger: 200MB", bytes),
    option("--gzip", "compress the files: .jsonl.gz"),
    option("--parquet", "Parquet instead of JSONL"),
  ],
});
