import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/transcript.ts";
import {
  checkFile,
  type FileCheck,
  type FileReport,
  type Finding,
  type MoreChecks,
} from "../../presets/checks/check-file.ts";
import { checkFolder, type FolderFinding, readAs } from "../../presets/checks/check-folder.ts";
import { guessPreset } from "../../presets/checks/guess-preset.ts";
import { lengthRules } from "../../presets/checks/length-rules.ts";
import { createRowCopies } from "../../presets/checks/row-copies.ts";
import type { Rule } from "../../presets/checks/rule.ts";
import { isPreset, type Preset, presets } from "../../presets/index.ts";
import type { Host } from "../context.ts";
import { DEFAULT_TOKENIZER } from "../defaults.ts";
import { byteLines, bytesOf, isBrokenGzip } from "./lines.ts";
import { type MendedFile, mendFile } from "./mend-file.ts";
import { type CheckPlace, filesOf, placesOf } from "./places.ts";

/** Files to check, and the preset whose rules apply. */
export interface CheckRequest {
  /** Files or folders. */
  paths: readonly string[];
  /** @default guessed from the shape of the rows */
  preset?: string;
  /** Longer rows are errors. */
  maxTokens?: number;
  maxCharacters?: number;
  /** Writes a mended copy of the only file in `paths` to this new file, and checks the copy. */
  fix?: string;
  /** Counts tokens, and tells of rows that its chat template refuses. @default qwen3, with `maxTokens` */
  tokenizer?: string;
}

/** Receives findings while the check runs. Its promises are awaited, so a slow reader slows the check down. */
export interface CheckListener {
  begin(): void;
  findings(file: string, findings: readonly Finding[]): Promise<void>;
  /** @param isGuess the preset was guessed */
  file(file: string, report: FileReport, isGuess: boolean): Promise<void>;
  folder(folder: string, findings: readonly FolderFinding[]): Promise<void>;
  mended(file: string, copy: string, mended: MendedFile): Promise<void>;
}

/**
Checks fine-tuning files: each file by itself and against the others of its folder, or those named beside it, then each folder as a whole. Memory
does not grow with the files, except 14 to 28 bytes for each row.

@returns how many errors there were
@throws UsageError for an unknown preset, and for files that cannot be read
*/
export const runCheck = async (
  request: CheckRequest,
  host: Pick<Host, "cwd" | "host" | "pid">,
  listener: CheckListener,
): Promise<number> => {
  const { cwd } = host;
  const preset = presetOf(request.preset);
  const given = request.paths.flatMap((path) => placesOf(path, cwd));
  const rules = await lengthRulesOf(request, cwd);
  const places = request.fix === undefined ? given : await mendedPlaces(given, request.fix, preset, host, listener);
  let errors = 0;
  // Files that are named together are compared; folders each by themselves, because they may hold one set in many shapes.
  const copies = createRowCopies();
  for (const place of places)
    errors += await checkPlace(place, preset, rules, place.isFolder ? createRowCopies() : copies, listener);
  return errors;
};

/** The copy, in place of the file that it was made of. */
const mendedPlaces = async (
  [place, ...others]: readonly CheckPlace[],
  copy: string,
  preset: Preset | undefined,
  host: Pick<Host, "cwd" | "host" | "pid">,
  listener: CheckListener,
): Promise<CheckPlace[]> => {
  if (place === undefined || place.isFolder || others.length > 0 || place.label.endsWith(".parquet"))
    throw new UsageError("--fix copies one file of JSON lines: run it for each file.");
  const choose = chooser({ given: preset, ...hintsOf(place) });
  await listener.mended(place.label, copy, await mendFile(place.label, copy, choose, host));
  return placesOf(copy, host.cwd);
};

const checkPlace = async (
  { label: place, path, names, isFolder }: CheckPlace,
  preset: Preset | undefined,
  rules: readonly Rule[],
  copies: ReturnType<typeof createRowCopies>,
  listener: CheckListener,
): Promise<number> => {
  const files: { name: string; report: FileReport }[] = [];
  let errors = 0;
  for (const name of names) {
    const label = isFolder ? join(place, name) : place;
    const hints = { given: preset, ...hintsOf({ path }) };
    const more = { rules, findCopy: copies.file(isFolder ? name : label, readAs(name)) };
    const report = await checkOne(join(path, name), label, hints, more, listener);
    files.push({ name, report });
    errors += report.errors;
    await listener.file(label, report, preset === undefined);
  }
  if (!isFolder) return errors;
  const guessed = files.map(({ report }) => report.preset).find((name) => name !== undefined);
  const found = checkFolder({
    names: filesOf(path),
    files,
    preset: preset ?? presetOf(guessed),
    ...optional("readme", join(path, "README.md")),
    ...optional("datasetInfo", join(path, "dataset_info.json")),
  });
  await listener.folder(place, found);
  return errors + found.filter(({ severity }) => severity === "error").length;
};

const presetOf = (name: string | undefined): Preset | undefined => {
  if (name === undefined) return undefined;
  if (isPreset(name)) return presets[name];
  throw new UsageError(`There is no preset "${name}". The presets are: ${Object.keys(presets).join(", ")}.`);
};

const lengthRulesOf = async ({ maxTokens, maxCharacters, tokenizer }: CheckRequest, cwd: string): Promise<Rule[]> => {
  const limits = {
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxCharacters !== undefined && { maxCharacters }),
  };
  if (maxTokens === undefined && tokenizer === undefined) return lengthRules(limits);
  const { createCounter } = await import("../../transforms/tokens/tokens.ts");
  const name = tokenizer ?? DEFAULT_TOKENIZER;
  const isNamed = name === "qwen3" || name === "o200k";
  return lengthRules({ ...limits, count: await createCounter({ tokenizer: isNamed ? name : resolve(cwd, name) }) });
};

const optional = <K extends string>(key: K, path: string): Partial<Record<K, string>> =>
  (existsSync(path) ? { [key]: readFileSync(path, "utf8") } : {}) as Partial<Record<K, string>>;

/** What the preset of a file is chosen by. */
interface PresetHints {
  given: Preset | undefined;
  folder: string;
  hasInfo: boolean;
}

const hintsOf = ({ path }: Pick<CheckPlace, "path">): Omit<PresetHints, "given"> => ({
  folder: basename(path),
  hasInfo: existsSync(join(path, "dataset_info.json")),
});

const chooser =
  ({ given, folder, hasInfo }: PresetHints) =>
  (row: JsonObject): Preset | undefined =>
    given ?? presetOf(guessPreset(row, { folder, hasDatasetInfo: hasInfo }));

const checkOne = async (path: string, label: string, hints: PresetHints, more: MoreChecks, listener: CheckListener) => {
  const check = checkFile(chooser(hints), more);
  listener.begin();
  const found = path.endsWith(".parquet") ? findingsInRows(path, check) : findingsInLines(path, check);
  for await (const findings of found) if (findings.length > 0) await listener.findings(label, findings);
  await listener.findings(label, check.end({ bytes: statSync(path).size }));
  return check.report();
};

async function* findingsInLines(path: string, check: FileCheck): AsyncGenerator<Finding[]> {
  try {
    for await (const line of byteLines(bytesOf(path))) {
      yield line === "long" ? check.trouble("long") : check.line(line);
      if (!check.isReadable) return;
    }
  } catch (error) {
    if (!isBrokenGzip(error)) throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
    yield check.trouble("gzip");
  }
}

async function* findingsInRows(path: string, check: FileCheck): AsyncGenerator<Finding[]> {
  const { asyncBufferFromFile } = await import("hyparquet");
  const { parquetRows } = await import("../../presets/files/parquet-rows.ts");
  const rows = parquetRows(await asyncBufferFromFile(path));
  for (;;) {
    const next = await rows.next().catch(() => undefined);
    // The reader's message can quote the file.
    if (next === undefined) yield check.trouble("parquet");
    if (next === undefined || next.done) return;
    yield check.row(next.value);
  }
}
