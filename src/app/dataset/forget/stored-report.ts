import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../../../core/transcript.ts";
import { isPreset, type Preset, presets } from "../../../presets/index.ts";
import type { DataFile, DatasetFacts } from "../../../reports/facts.ts";
import { REPORT_JSON } from "../../../reports/report.ts";

/** What a data set's report says that its other files do not. */
export interface StoredReport extends Pick<DatasetFacts, "task" | "seed" | "policies"> {
  presets: Preset[];
  splits: string[];
  files: DataFile[];
  excluded: { file: string; rows: number }[] | undefined;
  /** Whether something was looked for to be redacted. */
  redacts: boolean;
}

/** @throws UsageError for a report that this version cannot have written */
export const readReport = async (root: string, shown: string): Promise<StoredReport> => {
  const json: unknown = JSON.parse(await readFile(join(root, REPORT_JSON), "utf8"));
  const wrong = (): never => {
    throw new UsageError(`${shown}/${REPORT_JSON} is not as this version writes it: make the data set again.`);
  };
  if (!isObject(json) || !isObject(json.policies)) return wrong();
  const { task, seed, policies, redacted, excluded } = json;
  const files = listOf(json.files).filter(isDataFile);
  const names = [...new Set(String(policies.presets).split(", "))];
  if (typeof seed !== "string" || (task !== "chat" && task !== "text-to-sql") || !names.every(isPreset)) return wrong();
  return {
    task,
    seed,
    policies: policies as DatasetFacts["policies"],
    presets: names.map((name) => presets[name]),
    splits: listOf(json.splits).flatMap((split) => (isObject(split) ? [String(split.name)] : [])),
    files,
    excluded: Array.isArray(excluded)
      ? excluded.filter(isObject).map(({ file, rows }) => ({ file: String(file), rows: Number(rows) }))
      : undefined,
    redacts: isObject(redacted),
  };
};

const listOf = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

const isDataFile = (value: Json): value is JsonObject & DataFile =>
  isObject(value) &&
  ["preset", "split", "name"].every((key) => typeof value[key] === "string") &&
  ["rows", "bytes"].every((key) => typeof value[key] === "number");
