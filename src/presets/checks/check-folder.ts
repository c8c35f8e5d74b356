import { infoTrouble } from "../llama-factory-info.ts";
import type { Preset } from "../shape.ts";
import type { FileReport } from "./check-file.ts";
import type { Columns } from "./columns.ts";
import type { Severity } from "./rule.ts";

/** A folder as its readers see it. */
export interface Folder {
  /** Every file in it. */
  names: readonly string[];
  /** Those that were checked. */
  files: readonly { name: string; report: FileReport }[];
  preset: Preset | undefined;
  /** Texts of README.md and dataset_info.json, where they are. */
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

type Look = (folder: Folder) => { file: string; detail: string; severity?: Severity }[];

/** `train`, `validation` or `test`: what Hugging Face datasets takes a file for, when its name is as it should be. */
export const splitOf = (name: string): string | undefined => {
  const found = /^(train|validation|val|test)(?:-\d{5}-of-\d{5})?\.(?:jsonl|json|parquet)(?:\.gz)?$/.exec(name)?.[1];
  return found === "val" ? "validation" : found;
};

/** The files that its README.md declares are the only ones that are read. */
const isDeclared = ({ readme = "" }: Folder): boolean => /^---\n[\s\S]*?^configs:[\s\S]*?^---/m.test(readme);

const DATA = /\.(jsonl|json|ndjson|csv|tsv|parquet|txt|arrow)(\.gz)?$/;
const SPLIT_WORD = /(^|[^a-z])(train|training|dev|val|valid|validation|eval|evaluation|test|testing)([^a-z]|$)/i;
const KNOWN = new Set(["dataset_info.json", "dataset_infos.json"]);

const strayFiles: Look = (folder) => {
  if (folder.preset?.loader === "upload" || isDeclared(folder)) return [];
  return folder.names
    .filter((name) => DATA.test(name) && !KNOWN.has(name) && splitOf(name) === undefined)
    .filter((name) => SPLIT_WORD.test(name) || !folder.files.some((file) => file.name === name))
    .map((name) => {
      const word = SPLIT_WORD.exec(name)?.[2];
      if (word === undefined) return { file: name, detail: "is taken for data", severity: "warning" };
      return { file: name, detail: `is taken for a split, for its name has "${word}"` };
    });
};

const columnsThatDiffer: Look = ({ files, preset }) => {
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
  // What is inside a list that train has only empty ones of is told of the list itself.
  const list = /^(.*)\[\]/.exec(path)?.[1];
  if (train === undefined)
    return list === undefined || !path.endsWith("[]") ? `has ${path}, which train has not` : undefined;
  if (here.has("list") && !train.has("list") && train.has("empty list"))
    return `${path} is filled, but empty throughout train`;
  const kinds = (types: Set<string>): string[] =>
    [...types].filter((type) => type !== "null").map((type) => type.replace("empty ", ""));
  const odd = kinds(here).find((type) => kinds(train).length > 0 && !kinds(train).includes(type));
  return odd && `${path} is ${odd}, but ${kinds(train).join(" or ")} in train`;
};

const datasetInfo: Look = ({ names, files, preset, datasetInfo }) => {
  const file = "dataset_info.json";
  if (preset?.name !== "llama-factory") return [];
  if (datasetInfo === undefined) return files.length === 0 ? [] : [{ file, detail: "is not here" }];
  return infoTrouble(datasetInfo, names).map((detail) => ({ file, detail }));
};

const RULES: readonly { id: string; severity: Severity; effect: string; look: Look }[] = [
  {
    id: "stray-file",
    severity: "error",
    effect: "Hugging Face datasets takes it for data of the set: declare the files in README.md's configs.",
    look: strayFiles,
  },
  {
    id: "columns-differ",
    severity: "error",
    effect: "Hugging Face datasets takes the columns from train, and crashes at another split that has others.",
    look: columnsThatDiffer,
  },
  {
    id: "dataset-info",
    severity: "error",
    effect: "LLaMA-Factory does not find the data, or reads it by its defaults, which are others.",
    look: datasetInfo,
  },
];

/** What the files of a folder break together. */
export const checkFolder = (folder: Folder): FolderFinding[] =>
  RULES.flatMap(({ id, severity, effect, look }) =>
    look(folder).map((found) => ({
      rule: id,
      severity: found.severity ?? severity,
      file: found.file,
      detail: found.detail,
      effect,
    })),
  );
