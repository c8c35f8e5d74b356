import { createWriteStream, existsSync, mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { messageOf, UsageError } from "../core/errors.ts";
import type { Output } from "../core/export.ts";
import type { JsonObject } from "../core/transcript.ts";
import { type FileOutput, Files } from "../sinks/files.ts";
import type { FileFacts } from "../sinks/part-file.ts";
import { streamOutput } from "../sinks/stream.ts";
import { voiceSample } from "../transforms/voice.ts";
import { type SampleCounts, type WriterName, type WriterOptions, writers } from "../writers/index.ts";
import type { Io } from "./io.ts";
import type { OutputFlags } from "./options.ts";

/** Where the data goes, decided before any work is done. */
export type Target =
  | { kind: "folder"; path: string; formats: WriterName[] }
  | { kind: "file"; path: string; formats: [WriterName] }
  | { kind: "stream"; path?: string; formats: [WriterName] };

const isWriter = (name: string): name is WriterName => Object.hasOwn(writers, name);

/** @throws UsageError for formats that do not exist or do not fit the output */
export const targetOf = (flags: OutputFlags, io: Io): Target => {
  const { output } = flags;
  const formats = [...new Set(flags.format ?? [impliedBy(output) ?? "ndjson"])];
  for (const name of formats)
    if (!isWriter(name))
      throw new UsageError(`There is no format "${name}". There are: ${Object.keys(writers).join(", ")}.`);
  const [first, ...more] = formats.filter(isWriter);
  if (first === undefined) throw new UsageError("No format is given.");
  if (output === "-") {
    if (more.length > 0) throw new UsageError("Standard output takes one format; for several, name a folder with -o.");
    return { kind: "stream", formats: [first] };
  }
  const path = resolve(io.cwd, output);
  const there = existsSync(path) ? statSync(path) : undefined;
  if (there && !there.isFile() && !there.isDirectory()) return { kind: "stream", path, formats: [first] };
  if (there?.isDirectory() || /[/\\]$/.test(output) || more.length > 0 || (!there && extname(output) === "")) {
    if (there?.isFile()) throw new UsageError(`${output} is a file; several formats need a folder.`);
    return { kind: "folder", path, formats: [first, ...more] };
  }
  // Through a link to the file itself: the rename would otherwise replace the link.
  return { kind: "file", path: there ? realpathSync(path) : path, formats: [first] };
};

const impliedBy = (output: string): WriterName | undefined => {
  const ending = extname(output).toLowerCase();
  return Object.keys(writers)
    .filter(isWriter)
    .find((name) => (writers[name].extensions as readonly string[]).includes(ending));
};

export interface Outputs {
  outputs: Output[];
  /** What became of the fine-tuning samples, when they were asked for. */
  samples?: SampleCounts;
  /** Makes everything visible; `facts` go into the manifest. */
  publish(facts: JsonObject): Promise<FileFacts[]>;
  /** Leaves nothing half-written behind. */
  discard(): Promise<void>;
}

/** Opens what `target` names. Nothing is created before the first transcript is written. */
export const openOutputs = (target: Target, flags: OutputFlags, io: Io): Outputs => {
  const options: WriterOptions = {
    rows: flags.rows,
    csvBom: flags.csvBom === true,
    csvGuard: flags.csvGuard,
    toSample: (transcript) => voiceSample(transcript),
    single: target.kind !== "folder",
  };
  if (target.kind === "stream") {
    const stream = target.path === undefined ? io.stdout : createWriteStream(target.path);
    const [name] = target.formats;
    const made = writer(name, { ...options, report: null });
    return {
      outputs: [{ ...made, ...streamOutput(stream) }],
      ...(made.samples && { samples: made.samples }),
      publish: async () => {
        if (target.path !== undefined) await new Promise<void>((done) => stream.end(done));
        return [];
      },
      discard: async () => undefined,
    };
  }
  const isFile = target.kind === "file";
  const name = basename(target.path);
  const root = isFile ? dirname(target.path) : target.path;
  const report = isFile ? `${name}.report.ndjson` : undefined;
  const files = new Files({
    root,
    manifest: isFile ? `${name}.manifest.json` : "manifest.json",
    tag: String(io.pid),
  });
  const made = target.formats.map((format) => {
    const main: FileOutput = files.output(isFile ? name : writers[format].file);
    return { ...writer(format, { ...options, ...(report && { report }) }), ...main };
  });
  const samples = made.find((each) => each.samples)?.samples;
  return {
    outputs: made,
    ...(samples && { samples }),
    publish: (facts) => files.publish(facts),
    discard: () => files.discard(),
  };
};

const writer = (name: WriterName, options: WriterOptions) => {
  const made = writers[name].create(options);
  return { writer: made, ...("counts" in made && { samples: made.counts as SampleCounts }) };
};

/**
Fails now, not after an hour of work, when nothing can be written there.

@throws UsageError
*/
export const checkWritable = (target: Target, io: Io): void => {
  if (target.kind === "stream") return;
  const folder = target.kind === "folder" ? target.path : dirname(target.path);
  const probe = join(folder, `.callarchive.${io.pid}.part`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(probe, "", { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    throw new UsageError(`Cannot write to ${folder}: ${messageOf(error)}`);
  }
};
