import { dirname, join } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { Sample } from "../../core/sample.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { RowOptions } from "../../presets/files/parquet-columns.ts";
import type { Refusal } from "../../presets/shape.ts";
import type { DataFile } from "../../reports/facts.ts";
import { AtomicFile, type FileFacts, syncFolder } from "../../sinks/atomic-file.ts";
import type { WritingProcess } from "../../sinks/leftovers.ts";
import { completeManifest, writeManifest } from "../../sinks/manifest.ts";
import { jsonLine } from "../../writers/shape.ts";
import { TOO_LARGE } from "./decide.ts";
import type { DatasetPlan, PresetPlan } from "./plan.ts";
import type { DatasetRequest } from "./request.ts";
import {
  checkNoStranger,
  clearSetLeftovers,
  filesOfSet,
  isBare,
  MANIFEST,
  removeOld,
  SET_SIDECARS,
} from "./set-folder.ts";
import { EXTENSIONS, type Kind, ShardFiles } from "./shard-files.ts";
import { Spool } from "./spool.ts";

/** The samples of one split in one preset's shape. */
interface Track {
  wanted: PresetPlan;
  split: string;
  files: ShardFiles;
  spool?: Spool;
}

/**
All files of a data set: they appear together, when the last of them is whole, and the manifest after them.

With one preset its files lie in the folder itself, with several each has a folder of its own.
*/
export class SetFiles {
  readonly #root: string;
  readonly #plan: DatasetPlan;
  readonly #request: DatasetRequest;
  readonly #tag: string;
  readonly #tracks = new Map<string, Track>();
  readonly #sidecars = new Map<string, AtomicFile>();

  private constructor(root: string, plan: DatasetPlan, request: DatasetRequest, tag: string) {
    this.#root = root;
    this.#plan = plan;
    this.#request = request;
    this.#tag = tag;
  }

  /** @throws UsageError for a folder that holds something else than a data set of ours */
  static async open(
    root: string,
    plan: DatasetPlan,
    request: DatasetRequest,
    tag: string,
    self: WritingProcess,
  ): Promise<SetFiles> {
    await clearSetLeftovers(root, self);
    const before = await filesOfSet(root);
    if (before === undefined && !(await isBare(root)))
      throw new UsageError(
        `${request.output} is not empty, and not a data set of callarchive: name another folder with -o.`,
      );
    const files = new SetFiles(root, plan, request, tag);
    const data = plan.wanted.flatMap((wanted) =>
      plan.splits.map(({ name }) => files.#in(wanted, `${name}${EXTENSIONS[kindOf(request)]}`)),
    );
    await checkNoStranger(root, request.output, [...SET_SIDECARS, ...data], new Set(before));
    return files;
  }

  /** Undefined when the sample was written, else why the preset cannot express it. */
  async add(wanted: PresetPlan, split: string, sample: Sample): Promise<Refusal | typeof TOO_LARGE | undefined> {
    const made = rowOf(wanted, sample);
    if (made === undefined) return TOO_LARGE;
    const { row, line } = made;
    if ("dropped" in row) return row.dropped as Refusal;
    const track = await this.#track(wanted, split);
    if (track.spool) {
      track.spool.add(sample.id, line);
      await track.spool.flush();
    } else await track.files.add(line, () => row as JsonObject);
    return undefined;
  }

  /** A file beside the data, to be filled bit by bit. */
  async sidecar(name: string): Promise<AtomicFile> {
    const known = this.#sidecars.get(name);
    if (known) return known;
    const file = await AtomicFile.open(join(this.#root, name), this.#tag);
    this.#sidecars.set(name, file);
    return file;
  }

  /** Writes what was held back for shuffling; then the data files and their names are known. */
  async complete(): Promise<DataFile[]> {
    const files: DataFile[] = [];
    for (const track of this.#ordered()) {
      if (track.spool) {
        for await (const line of track.spool.lines()) await track.files.add(line, () => JSON.parse(line));
        await track.spool.remove();
      }
      for (const { name, file } of await track.files.seal())
        files.push({
          preset: track.wanted.preset.name,
          split: track.split,
          name: this.#in(track.wanted, name),
          rows: file.rows,
          bytes: file.bytes,
        });
    }
    return files;
  }

  /** Makes everything visible; what an earlier data set left there and this one does not have is removed. */
  async publish(facts: JsonObject): Promise<FileFacts[]> {
    const parts = new Map<string, AtomicFile>();
    for (const track of this.#ordered())
      for (const { name, file } of await track.files.seal()) parts.set(this.#in(track.wanted, name), file);
    for (const [name, file] of this.#sidecars) {
      await file.seal();
      parts.set(name, file);
    }
    const before = new Set(await filesOfSet(this.#root));
    // Once more: now the names of all files are known.
    await checkNoStranger(this.#root, this.#request.output, parts.keys(), before);
    const files = [...parts].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, file]) => file.facts(name));
    // From here on the folder is between two sets; should the run end now, this says whose the files are.
    const names = [...new Set([...before, ...parts.keys()])].map((name) => ({ name }));
    await this.#manifest({ ...facts, incomplete: true, files: names });
    for (const [name, file] of parts) await file.publish(join(this.#root, name));
    for (const folder of new Set([...parts.keys()].map((name) => dirname(join(this.#root, name)))))
      await syncFolder(folder);
    await removeOld(
      this.#root,
      [...before].filter((name) => !parts.has(name)),
    );
    await this.#manifest(completeManifest(facts, files));
    return files;
  }

  async discard(): Promise<void> {
    for (const { files, spool } of this.#tracks.values()) {
      await spool?.remove();
      await files.discard();
    }
    for (const file of this.#sidecars.values()) await file.discard();
  }

  async #manifest(content: JsonObject): Promise<void> {
    await writeManifest(join(this.#root, MANIFEST), content, this.#tag);
  }

  /** By preset, then split, as they were asked for. */
  #ordered(): Track[] {
    return this.#plan.wanted.flatMap((wanted) =>
      this.#plan.splits.flatMap(({ name }) => this.#tracks.get(`${wanted.preset.name}/${name}`) ?? []),
    );
  }

  #in({ preset }: PresetPlan, name: string): string {
    return this.#plan.wanted.length > 1 ? `${preset.name}/${name}` : name;
  }

  async #track(wanted: PresetPlan, split: string): Promise<Track> {
    const { preset, options } = wanted;
    const key = `${preset.name}/${split}`;
    const known = this.#tracks.get(key);
    if (known) return known;
    const { maxFileSize, shuffle, seed } = this.#request;
    const kind = kindOf(this.#request);
    const folder = dirname(join(this.#root, this.#in(wanted, "x")));
    const least = Math.min(maxFileSize ?? Number.POSITIVE_INFINITY, preset.maxFileBytes ?? Number.POSITIVE_INFINITY);
    const columns: RowOptions = {
      ...(options.loss && preset.can.loss && { loss: preset.can.loss.key as NonNullable<RowOptions["loss"]> }),
      ...(options.parts && { parts: true }),
    };
    const track: Track = {
      wanted,
      split,
      files: new ShardFiles({
        folder,
        split,
        kind,
        limit: Number.isFinite(least) ? least : undefined,
        tag: this.#tag,
        preset: preset.name,
        columns,
      }),
      ...(shuffle && { spool: await Spool.open(folder, this.#tag, seed) }),
    };
    this.#tracks.set(key, track);
    return track;
  }
}

const kindOf = ({ parquet, gzip }: DatasetRequest): Kind => (parquet ? "parquet" : gzip ? "gzip" : "jsonl");
/** A sample as a preset writes it; undefined when it is larger than one text can be. */
const rowOf = ({ preset, options }: PresetPlan, sample: Sample) => {
  try {
    const row = preset.line(sample, options);
    return { row, line: "dropped" in row ? "" : jsonLine(row) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
};
