import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { messageOf, UsageError } from "../core/errors.ts";
import { checkFile, type FileCheck, type FileReport, type Finding } from "../presets/checks/check-file.ts";
import { checkFolder, type FolderFinding } from "../presets/checks/check-folder.ts";
import { guessPreset } from "../presets/checks/guess-preset.ts";
import { isPreset, type Preset, presets } from "../presets/index.ts";
import type { Host } from "./context.ts";

/** Files to check, and the preset whose rules apply. */
export interface CheckRequest {
  /** Files or folders. */
  paths: readonly string[];
  /** @default guessed from the shape of the rows */
  preset?: string;
}

/** Receives findings while the check runs. Its promises are awaited, so a slow reader slows the check down. */
export interface CheckListener {
  begin(): void;
  findings(file: string, findings: readonly Finding[]): Promise<void>;
  /** @param isGuess the preset was guessed */
  file(file: string, report: FileReport, isGuess: boolean): Promise<void>;
  folder(folder: string, findings: readonly FolderFinding[]): Promise<void>;
}

/** In bytes. */
const LONGEST_LINE = 64 * 1024 * 1024;

/**
Checks fine-tuning files: each file by itself, then each folder as a whole. Memory does not grow with the files.

@returns how many errors there were
@throws UsageError for an unknown preset, and for files that cannot be read
*/
export const runCheck = async (
  { paths, preset: presetName }: CheckRequest,
  { cwd }: Pick<Host, "cwd">,
  listener: CheckListener,
): Promise<number> => {
  const preset = presetOf(presetName);
  const places = paths.flatMap((path) => placesOf(path, cwd));
  let errors = 0;
  for (const { label: place, path, names, isFolder } of places) {
    const files: { name: string; report: FileReport }[] = [];
    for (const name of names) {
      const label = isFolder ? join(place, name) : place;
      const hints = { given: preset, folder: basename(path), hasInfo: existsSync(join(path, "dataset_info.json")) };
      const report = await checkOne(join(path, name), label, hints, listener);
      files.push({ name, report });
      errors += report.errors;
      await listener.file(label, report, preset === undefined);
    }
    if (!isFolder) continue;
    const guessed = files.map(({ report }) => report.preset).find((name) => name !== undefined);
    const found = checkFolder({
      names: filesOf(path),
      files,
      preset: preset ?? presetOf(guessed),
      ...optional("readme", join(path, "README.md")),
      ...optional("datasetInfo", join(path, "dataset_info.json")),
    });
    errors += found.filter(({ severity }) => severity === "error").length;
    await listener.folder(place, found);
  }
  return errors;
};

const presetOf = (name: string | undefined): Preset | undefined => {
  if (name === undefined) return undefined;
  if (isPreset(name)) return presets[name];
  throw new UsageError(`There is no preset "${name}". The presets are: ${Object.keys(presets).join(", ")}.`);
};

interface Place {
  /** The path as the user wrote it. */
  label: string;
  /** The folder of the files in `names`. */
  path: string;
  names: string[];
  isFolder: boolean;
}

const JSON_LINES = /\.jsonl(\.gz)?$/;

/** A file; or a folder and its direct subfolders that contain data. @throws UsageError when there is nothing to check */
const placesOf = (arg: string, cwd: string): Place[] => {
  const path = resolve(cwd, arg);
  if (!existsSync(path)) throw new UsageError(`${arg} does not exist.`);
  if (!statSync(path).isDirectory()) {
    if (/\.(parquet|csv|xlsx?)$/i.test(path))
      throw new UsageError(`${arg}: check reads only JSON lines (.jsonl, .jsonl.gz).`);
    return [{ label: arg, path: dirname(path), names: [basename(path)], isFolder: false }];
  }
  const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const places = [[arg, path] as const, ...inner.map(({ name }) => [join(arg, name), join(path, name)] as const)]
    .map(
      ([label, path]): Place => ({
        label,
        path,
        names: filesOf(path).filter((name) => JSON_LINES.test(name)),
        isFolder: true,
      }),
    )
    .filter(({ names }) => names.length > 0);
  if (places.length === 0) throw new UsageError(`${arg} contains no .jsonl files.`);
  return places;
};

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();

const optional = <K extends string>(key: K, path: string): Partial<Record<K, string>> =>
  (existsSync(path) ? { [key]: readFileSync(path, "utf8") } : {}) as Partial<Record<K, string>>;

/** What the preset of a file is chosen by. */
interface PresetHints {
  given: Preset | undefined;
  folder: string;
  hasInfo: boolean;
}

const checkOne = async (
  path: string,
  label: string,
  { given, folder, hasInfo }: PresetHints,
  listener: CheckListener,
) => {
  const check = checkFile((row) => given ?? presetOf(guessPreset(row, { folder, hasDatasetInfo: hasInfo })));
  listener.begin();
  for await (const findings of findingsOf(path, check))
    if (findings.length > 0) await listener.findings(label, findings);
  await listener.findings(label, check.end({ bytes: statSync(path).size }));
  return check.report();
};

async function* findingsOf(path: string, check: FileCheck): AsyncGenerator<Finding[]> {
  const file = createReadStream(path);
  // Errors of the file and of gunzip both reach the loop below.
  const bytes: Readable = path.endsWith(".gz") ? pipeline(file, createGunzip(), () => undefined) : file;
  try {
    for await (const line of byteLines(bytes)) {
      yield line === "long" ? check.trouble("long") : check.line(line);
      if (!check.isReadable) return;
    }
  } catch (error) {
    if (!/^Z_|^ERR_STREAM_PREMATURE/.test((error as NodeJS.ErrnoException).code ?? ""))
      throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
    yield check.trouble("gzip");
  }
}

/** Lines as bytes without line ends, because invalid UTF-8 must be reported and not replaced. */
async function* byteLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer | "long"> {
  let open: Buffer[] = [];
  let length = 0;
  const take = (): Buffer | "long" => {
    const line = length > LONGEST_LINE ? "long" : open.length === 1 && open[0] ? open[0] : Buffer.concat(open);
    open = [];
    length = 0;
    return line !== "long" && line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  };
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length > LONGEST_LINE) open = [];
    else open.push(piece);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take();
}
