import { infoTrouble } from "../llama-factory-info.ts";
import type { Preset } from "../shape.ts";
import type { FileReport } from "./check-file.ts";
import type { Columns } from "./columns.ts";
import type { Severity } from "./rule.ts";

/** A folder to check. */
export interface Folder {
  /** Every file in it. */
  names: readonly string[];
  /** The files that were checked. */
  files: readonly { name: string; report: FileReport }[];
  preset: Preset | undefined;
  /** Texts of README.md and dataset_info.json, if they exist. */
  readme?: string;
  datasetInfo?: string;
}

export interface FolderFinding {
  rule: string;
  severity: Severity;
  file: string;
  detail: string;
  effect: string;
}

type FolderRule = (folder: Folder) => { file: string; detail: string; severity?: Severity }[];

/** The split of a file, `train`, `validation` or `test`, if Hugging Face datasets recognises its name. */
export const splitOf = (name: string): string | undefined => {
  const found = /^(train|validation|val|test)(?:-\d{5}-of-\d{5})?\.(?:jsonl|json|parquet)(?:\.gz)?$/.exec(name)?.[1];
  return found === "val" ? "validation" : found;
};

/** The split that `datasets` takes a file for: by its whole name, or by a word in it. */
export const readAs = (name: string): string | undefined => {
  const word = SPLIT_WORD.exec(name)?.[2]?.toLowerCase();
  if (splitOf(name) !== undefined || word === undefined) return splitOf(name);
  return word.startsWith("train") ? "train" : /^(dev|val)/.test(word) ? "validation" : "test";
};

/** Whether README.md declares the files: then only these are read. */
const isDeclared = ({ readme = "" }: Folder): boolean => /^---\n[\s\S]*?^configs:[\s\S]*?^---/m.test(readme);

const DATA = /\.(jsonl|json|ndjson|csv|tsv|parquet|txt|arrow)(\.gz)?$/;
const SPLIT_WORD = /(^|[^a-z])(train|training|dev|val|valid|validation|eval|evaluation|test|testing)([^a-z]|$)/i;
const KNOWN = new Set(["dataset_info.json", "dataset_infos.json"]);

const strayFiles: FolderRule = (folder) => {
  if (folder.preset?.loader === "upload" || isDeclared(folder)) return [];
  return folder.names
    .filter((name) => DATA.test(name) && !KNOWN.has(name) && splitOf(name) === undefined)
    .filter((name) => SPLIT_WORD.test(name) || !folder.files.some((file) => file.name === name))
    .map((name) => {
      const word = SPLIT_WORD.exec(name)?.[2];
      if (word === undefined) return { file: name, detail: "is read as data", severity: "warning" };
      return { file: name, detail: `is read as a split, because its name contains "${word}"` };
    });
};

const columnsThatDiffer: FolderRule = ({ files, preset }) => {
  if (preset?.loader === "upload") return [];
  const [trains, others] = [true, false].map((isTrain) =>
    files.filter(
      ({ name, report }) => (splitOf(name) === "train") === isTrain && splitOf(name) !== undefined && report.rows > 0,
    ),
  );
  if (!trains || !others || trains.length === 0) return [];
  const train = union(trains.map(({ report }) => report.columns));
  return others.flatMap(({ name, report }) =>
    [...report.columns.types].flatMap(([path, types]) => {
      const detail = difference(path, types, train.get(path));
      return detail === undefined ? [] : [{ file: name, detail }];
    }),
  );
};

const union = (all: readonly Columns[]): Map<string, Set<string>> => {
  const types = new Map<string, Set<string>>();
  for (const columns of all)
    for (const [path, met] of columns.types) types.set(path, new Set([...(types.get(path) ?? []), ...met]));
  return types;
};

const difference = (path: string, here: Set<string>, train: Set<string> | undefined): string | undefined => {
  // If train has only empty lists there, the finding is about the list, not its items.
  const list = /^(.*)\[\]/.exec(path)?.[1];
  if (train === undefined)
    return list === undefined || !path.endsWith("[]") ? `has ${path}, which train does not have` : undefined;
  if (here.has("list") && !train.has("list") && train.has("empty list"))
    return `${path} has items, but is always empty in train`;
  const kinds = (types: Set<string>): string[] =>
    [...types].filter((type) => type !== "null").map((type) => type.replace("empty ", ""));
  const wrong = kinds(here).find((type) => kinds(train).length > 0 && !kinds(train).includes(type));
  return wrong && `${path} is ${wrong}, but ${kinds(train).join(" or ")} in train`;
};

const datasetInfo: FolderRule = ({ names, files, preset, datasetInfo }) => {
  const file = "dataset_info.json";
  if (preset?.name !== "llama-factory") return [];
  if (datasetInfo === undefined) return files.length === 0 ? [] : [{ file, detail: "does not exist" }];
  return infoTrouble(datasetInfo, names).map((detail) => ({ file, detail }));
};

const RULES: readonly { id: string; severity: Severity; effect: string; check: FolderRule }[] = [
  {
    id: "stray-file",
    severity: "error",
    effect: "Hugging Face datasets reads it as data of the set: declare the files in README.md's configs.",
    check: strayFiles,
  },
  {
    id: "columns-differ",
    severity: "error",
    effect: "Hugging Face datasets takes the columns from train, and crashes if another split has other columns.",
    check: columnsThatDiffer,
  },
  {
    id: "dataset-info",
    severity: "error",
    effect: "LLaMA-Factory does not find the data, or reads it with its defaults, which are different.",
    check: datasetInfo,
  },
];

/** The findings about a folder as a whole. */
export const checkFolder = (folder: Folder): FolderFinding[] =>
  RULES.flatMap(({ id, severity, effect, check }) =>
    check(folder).map((found) => ({
      rule: id,
      severity: found.severity ?? severity,
      file: found.file,
      detail: found.detail,
      effect,
    })),
  );
