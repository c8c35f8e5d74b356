import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { messageOf, UsageError } from "../core/errors.ts";
import type { Output } from "../core/export.ts";
import type { JsonObject } from "../core/transcript.ts";
import { type FileOutput, Files } from "../sinks/files.ts";
import { clearLeftovers, tagOf } from "../sinks/leftovers.ts";
import type { FileFacts } from "../sinks/part-file.ts";
import { streamOutput } from "../sinks/stream.ts";
import { type WriterName, writers } from "../writers/index.ts";
import type { Io } from "./io.ts";
import type { ArchiveFlags, OutputFlags } from "./options.ts";
import { type PlannedOutput, writerOf } from "./rendering/plan.ts";

/** Where the data goes, decided before any work is done. */
export type Target =
  | { kind: "folder"; path: string; formats: WriterName[] }
  | { kind: "file"; path: string; formats: [WriterName] }
  | { kind: "stream"; path?: string; formats: [WriterName] };

const isWriter = (name: string): name is WriterName => Object.hasOwn(writers, name);

/** @throws UsageError for formats that do not exist or do not fit the output */
export const targetOf = (flags: OutputFlags, io: Io): Target => {
  const { output } = flags;
  if (output === "") throw new UsageError("-o needs a file, a folder, or - for standard output.");
  const formats = [...new Set(flags.format ?? [impliedBy(output) ?? "ndjson"])];
  for (const name of formats)
    if (!isWriter(name))
      throw new UsageError(`There is no format "${name}". There are: ${Object.keys(writers).join(", ")}.`);
  const [first, ...more] = formats.filter(isWriter);
  if (first === undefined) throw new UsageError("No format is given.");
  const path = output === "-" ? undefined : through(resolve(io.cwd, output));
  const there = path !== undefined && existsSync(path) ? statSync(path) : undefined;
  if (path === undefined || (there && !there.isFile() && !there.isDirectory())) {
    if (more.length > 0) throw new UsageError("A stream takes one format; for several, name a folder with -o.");
    if (flags.new) throw new UsageError("--new remembers what a file or folder has had; a stream has no memory.");
    return { kind: "stream", formats: [first], ...(path !== undefined && { path }) };
  }
  if (there?.isDirectory() || /[/\\]$/.test(output) || more.length > 0 || (!there && extname(output) === "")) {
    if (there?.isFile()) throw new UsageError(`${output} is a file; several formats need a folder.`);
    return { kind: "folder", path, formats: [first, ...more] };
  }
  return { kind: "file", path, formats: [first] };
};

/**
No file that a run writes may be one that it reads, or another that it writes.

@throws UsageError that names both
*/
export const checkApart = (
  { archive, ids, errorFile, metricsFile }: ArchiveFlags & { ids?: string; errorFile?: string; metricsFile?: string },
  target: Target | undefined,
  io: Io,
): void => {
  const seen = new Map<string, string>();
  const claim = (path: string | undefined, what: string): void => {
    if (path === undefined) return;
    const place = through(resolve(io.cwd, path));
    const other = seen.get(place);
    if (other !== undefined) throw new UsageError(`${what} would write over ${other}: ${path}.`);
    seen.set(place, what);
  };
  if (archive !== false) for (const end of ["", "-wal", "-shm"]) claim(`${archive}${end}`, "the archive");
  if (ids !== undefined && ids !== "-") claim(ids, "the list of ids");
  if (target?.kind === "file") claim(target.path, "-o");
  if (target && target.kind !== "stream") claim(join(placeOf(target).root, placeOf(target).manifest), "the manifest");
  // What could not be had may replace the very list that asked for it: the list is read to its end before.
  if (errorFile !== ids) claim(errorFile, "--error-file");
  claim(metricsFile, "--metrics-file");
};

/** Through links to the file itself, also one that is not there yet: a rename would replace the link. */
const through = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    try {
      return through(resolve(dirname(path), readlinkSync(path)));
    } catch {
      // A folder above it may be a link all the same: the first run and those after it must name one place.
      const above = dirname(path);
      return above === path ? path : join(through(above), basename(path));
    }
  }
};

const impliedBy = (output: string): WriterName | undefined => {
  const ending = extname(output).toLowerCase();
  return Object.keys(writers)
    .filter(isWriter)
    .find((name) => (writers[name].extensions as readonly string[]).includes(ending));
};

/** The folder that the files of a target are in, and its manifest's name there. */
export const placeOf = (target: Target & { path: string }): { root: string; manifest: string } =>
  target.kind === "file"
    ? { root: dirname(target.path), manifest: `${basename(target.path)}.manifest.json` }
    : { root: target.path, manifest: "manifest.json" };

/** Part 3 of `transcripts.ndjson` is `transcripts-00003.ndjson`; part 0 is the whole. */
const partName = (name: string, part: number): string => {
  if (part === 0) return name;
  const [, stem = name, ending = ""] = /^((?:.*\/)?[^./]*)(.*)$/.exec(name) ?? [];
  return `${stem}-${String(part).padStart(5, "0")}${ending}`;
};

/** Every file that a part of this number may have brought: its name in the folder, its format, and whether it is the main one. */
export const partNames = (
  target: Target & { path: string },
  part: number,
): { name: string; format: WriterName; main: boolean }[] => {
  if (target.kind === "file") {
    const name = partName(basename(target.path), part);
    const [format] = target.formats;
    return [
      { name, format, main: true },
      { name: `${name}.report.ndjson`, format, main: false },
    ];
  }
  return Object.keys(writers)
    .filter(isWriter)
    .flatMap((format) => [
      { name: partName(writers[format].file, part), format, main: true },
      ...writers[format].sidecars.map((name) => ({ name: partName(name, part), format, main: false })),
    ]);
};

/** The same as paths. */
export const partFiles = (target: Target & { path: string }, part: number): string[] =>
  partNames(target, part).map(({ name }) => join(placeOf(target).root, name));

export interface Outputs {
  outputs: (Output & PlannedOutput)[];
  /** Makes everything visible; the manifest comes last. `manifestOf` is asked when the files are whole, before any is visible. */
  publish(manifestOf: (files: FileFacts[]) => Promise<JsonObject>): Promise<FileFacts[]>;
  /** Leaves nothing half-written behind. */
  discard(): Promise<void>;
}

/** Opens what `target` names. Nothing is created before the first transcript is written. */
export const openOutputs = async (target: Target, flags: OutputFlags, io: Io, part: number): Promise<Outputs> => {
  const options: PlannedOutput["options"] = {
    rows: flags.rows,
    csvBom: flags.csvBom === true,
    csvGuard: flags.csvGuard,
    single: target.kind !== "folder",
  };
  if (target.kind === "stream") return openStream(target, options, io);
  const place = placeOf(target);
  const names = target.kind === "file" ? [basename(target.path)] : target.formats.map((format) => writers[format].file);
  for (const folder of new Set([place.root, ...names.map((name) => dirname(join(place.root, name)))]))
    await clearLeftovers(folder, io);
  const files = new Files({ ...place, tag: tagOf(io) });
  const made = target.formats.map((format) => {
    const name = partName(target.kind === "file" ? basename(target.path) : writers[format].file, part);
    const report = target.kind === "file" ? `${name}.report.ndjson` : partName("messages.report.ndjson", part);
    const main: FileOutput = files.output(name);
    // Also when there will be nothing to say: no older report is to speak in its place.
    if (writers[format].sidecars.length > 0) main.put("", { file: report });
    return { ...writer({ format, options: { ...options, report } }), ...main };
  });
  return {
    outputs: made,
    publish: (manifestOf) => files.publish(manifestOf, { dropEmpty: part > 0, replace: part === 0 }),
    discard: () => files.discard(),
  };
};

const openStream = (
  { path, formats: [format] }: Target & { kind: "stream" },
  options: PlannedOutput["options"],
  io: Io,
): Outputs => {
  const { put, flush, end } = streamOutput(path === undefined ? io.stdout : createWriteStream(path));
  return {
    outputs: [{ ...writer({ format, options: { ...options, report: null } }), put, flush }],
    publish: async () => {
      if (path !== undefined) await end();
      return [];
    },
    discard: async () => undefined,
  };
};

/** What begins and ends the file; what lies between is rendered elsewhere, by others of its kind. */
const writer = (output: PlannedOutput) => ({ ...output, writer: writerOf(output) });

/**
Fails now, not after an hour of work, when nothing can be written there.

@throws UsageError
*/
export const checkWritable = (target: Target, io: Io): void => {
  if (target.kind === "stream") return;
  const { root } = placeOf(target);
  const probe = join(root, `.callarchive.${tagOf(io)}.part`);
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    writeFileSync(probe, "", { mode: 0o600, flag: "wx" });
    rmSync(probe);
  } catch (error) {
    throw new UsageError(`Cannot write to ${root}: ${messageOf(error)}`);
  }
};
