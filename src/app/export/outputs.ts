import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { Output } from "../../core/export.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { type FileOutput, FileSet } from "../../sinks/file-set.ts";
import { clearLeftovers, tagOf } from "../../sinks/leftovers.ts";
import { openStream, type StreamContext } from "../../sinks/open-stream.ts";
import { isSpecial, placeAt } from "../../sinks/places.ts";
import { type WriterName, writers } from "../../writers/index.ts";
import type { Host } from "../context.ts";
import { DEFAULT_FORMAT } from "../defaults.ts";
import { type PlannedOutput, writerOf } from "../render-workers/plan.ts";
import type { ArchiveRequest, OutputRequest } from "../requests.ts";
import { checkFolder, checkSpecial, PROBE } from "../writable.ts";
import { impliedBy } from "./endings.ts";
import {
  type FileTarget,
  isOutputName,
  namesWritten,
  partName,
  placeOf,
  reportName,
  type Target,
} from "./output-names.ts";
import { checkReplaceable, earlierExport } from "./replacement.ts";

export { placeOf, type Target } from "./output-names.ts";

const isWriter = (name: string): name is WriterName => Object.hasOwn(writers, name);

/** @throws UsageError for formats that do not exist or do not fit the output */
export const targetOf = (request: OutputRequest, host: Host): Target => {
  const { output } = request;
  if (output === "") throw new UsageError("-o needs a file, a folder, or - for standard output.");
  const formats = [...new Set(request.formats ?? [impliedBy(output) ?? DEFAULT_FORMAT])];
  for (const name of formats)
    if (!isWriter(name))
      throw new UsageError(`There is no format "${name}". There are: ${Object.keys(writers).join(", ")}.`);
  const [first, ...more] = formats.filter(isWriter);
  if (first === undefined) throw new UsageError("No format is given.");
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(output))
    throw new UsageError(
      // An address may carry a password.
      `-o ${output.split(":")[0]}://…: this version writes to no address. Write to a folder or file, and copy that.`,
    );
  const place = output === "-" ? undefined : placeAt(resolve(host.cwd, output), host.pid);
  if (place === undefined || isSpecial(place)) {
    if (more.length > 0) throw new UsageError("A stream takes one format; for several, name a folder with -o.");
    if (request.new) throw new UsageError("--new remembers what a file or folder has had; a stream has no memory.");
    return { kind: "stream", formats: [first], ...(place && { to: place }) };
  }
  const { kind, path } = place;
  if (kind === "folder" || /[/\\]$/.test(output)) {
    if (kind === "file") throw new UsageError(`${output} is a file, not a folder.`);
    return { kind: "folder", path, formats: [first, ...more] };
  }
  if (more.length > 0)
    throw new UsageError(
      kind === "file"
        ? `${output} is a file; several formats need a folder.`
        : `Several formats need a folder: -o ${output.slice(0, output.length - extname(output).length)}/ makes one.`,
    );
  return { kind: "file", path, formats: [first], isThere: kind === "file" };
};

interface FilesOfRun extends ArchiveRequest {
  idsFile?: string;
  errorFile?: string;
  metricsFile?: string;
}

/**
No file that a run writes may be one that it reads, or another that it writes.

@throws UsageError that names both
*/
export const checkApart = (
  { archive, idsFile: ids, errorFile, metricsFile }: FilesOfRun,
  target: Target | undefined,
  host: Host,
): void => {
  const seen = new Map<string, string>();
  const claim = (path: string | undefined, what: string): void => {
    if (path === undefined) return;
    const place = placeAt(resolve(host.cwd, path), host.pid);
    // Several may write to one pipe or device.
    if (isSpecial(place)) return;
    const other = seen.get(place.path);
    if (other !== undefined) throw new UsageError(`${what} would write over ${other}: ${path}.`);
    seen.set(place.path, what);
  };
  if (archive !== false) for (const end of ["", "-wal", "-shm"]) claim(`${archive}${end}`, "the archive");
  if (ids !== undefined && ids !== "-") claim(ids, "the list of ids");
  if (target && target.kind !== "stream") {
    const { root, manifest } = placeOf(target);
    for (const name of namesWritten(target)) claim(join(root, name), "-o");
    claim(join(root, manifest), "the manifest");
  }
  // What could not be had may replace the very list that asked for it: the list is read to its end before.
  if (errorFile !== ids) claim(errorFile, "--error-file");
  claim(metricsFile, "--metrics-file");
};

export interface Outputs {
  outputs: (Output & PlannedOutput)[];
  /** How many conversations the export had that this one replaces, if that is known. */
  before?: number;
  /** Makes everything visible; the manifest comes last. `manifestOf` is asked when the files are whole, before any is visible. */
  publish(manifestOf: (files: FileFacts[]) => Promise<JsonObject>): Promise<FileFacts[]>;
  /** Leaves nothing half-written behind. */
  discard(): Promise<void>;
}

/** Opens what `target` names. Nothing is created before the first transcript is written. */
export const openOutputs = async (
  target: Target,
  request: OutputRequest,
  host: Host,
  part: number,
  context: StreamContext,
): Promise<Outputs> => {
  const options: PlannedOutput["options"] = {
    rows: request.rows,
    csvBom: request.csvBom === true,
    csvGuard: request.csvGuard,
    single: target.kind !== "folder",
  };
  if (target.kind === "stream") return toStream(target, options, host, context);
  // Once more: the fetching may have taken hours.
  await checkReplaceable(target, request, host);
  const place = placeOf(target);
  const names = target.kind === "file" ? [basename(target.path)] : target.formats.map((format) => writers[format].file);
  for (const folder of new Set(names.map((name) => dirname(join(place.root, name))).concat(place.root)))
    await clearLeftovers(folder, host, (name) => isLeftoverName(target, relative(place.root, join(folder, name))));
  const files = new FileSet({ ...place, tag: tagOf(host) });
  const made = target.formats.map((format) => {
    const name = partName(target.kind === "file" ? basename(target.path) : writers[format].file, part);
    const [sidecar] = writers[format].sidecars;
    const report = sidecar === undefined ? null : target.kind === "file" ? reportName(name) : partName(sidecar, part);
    const main: FileOutput = files.output(name);
    // Also when there will be nothing to say: no older report is to speak in its place.
    if (report !== null) main.put("", { file: report });
    return { ...writer({ format, options: { ...options, report } }), ...main };
  });
  const replaces = part === 0 ? await earlierExport(target) : undefined;
  return {
    outputs: made,
    ...(replaces?.exported !== undefined && { before: replaces.exported }),
    publish: (manifestOf) => files.publish(manifestOf, { dropEmpty: part > 0, ...(replaces && { replaces }) }),
    discard: () => files.discard(),
  };
};

const toStream = async (
  { to, formats: [format] }: Target & { kind: "stream" },
  options: PlannedOutput["options"],
  host: Host,
  context: StreamContext,
): Promise<Outputs> => {
  const { put, flush, end, destroy } = await openStream(to, host, context);
  return {
    outputs: [{ ...writer({ format, options: { ...options, report: null } }), put, flush }],
    publish: async () => {
      await end();
      return [];
    },
    discard: async () => destroy(),
  };
};

/** What begins and ends the file; what lies between is rendered elsewhere, by others of its kind. */
const writer = (output: PlannedOutput) => ({ ...output, writer: writerOf(output) });

const isLeftoverName = (target: FileTarget, name: string): boolean =>
  name === PROBE || name === placeOf(target).manifest || isOutputName(target, name);

/**
Fails now, not after an hour of work, when nothing can be written there.

@throws Error that names the folder
*/
export const checkWritable = (target: Target, host: Host): void => {
  if (target.kind !== "stream") checkFolder(placeOf(target).root, host);
  else if (target.to) checkSpecial(target.to);
};
