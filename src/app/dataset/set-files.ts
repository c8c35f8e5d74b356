import { join } from "node:path";
import { UsageError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { RowOptions } from "../../presets/files/parquet-columns.ts";
import type { DataFile } from "../../reports/facts.ts";
import type { AtomicFile, FileFacts } from "../../sinks/atomic-file.ts";
import { completePublishing } from "../../sinks/complete.ts";
import { FileSet } from "../../sinks/file-set.ts";
import { tagOf } from "../../sinks/leftovers.ts";
import { completeManifest } from "../../sinks/manifest.ts";
import type { Host } from "../context.ts";
import type { DatasetPlan, PresetPlan } from "./plan.ts";
import { prefixOf } from "./preset-sidecars.ts";
import type { DatasetRequest } from "./request.ts";
import type { WrittenRow } from "./rows.ts";
import {
  checkNoStranger,
  clearSetLeftovers,
  filesOfSet,
  isBare,
  MANIFEST,
  PROVENANCE,
  SET_SIDECARS,
} from "./set-folder.ts";
import { EXTENSIONS, type Kind, ShardFiles } from "./shard-files.ts";
import { Spool } from "./spool.ts";
import { Track } from "./track.ts";

/**
The files of a data set, by preset and split, and those beside them.

With one preset its files lie in the folder itself, with several each has a folder of its own.
*/
export class SetFiles {
  readonly #root: string;
  readonly #plan: DatasetPlan;
  readonly #request: DatasetRequest;
  readonly #tag: string;
  readonly #files: FileSet;
  readonly #tracks = new Map<string, Track>();
  #provenance: AtomicFile | undefined;

  private constructor(root: string, plan: DatasetPlan, request: DatasetRequest, tag: string) {
    this.#root = root;
    this.#plan = plan;
    this.#request = request;
    this.#tag = tag;
    this.#files = new FileSet({ root, manifest: MANIFEST, tag });
  }

  /** @throws UsageError for a folder that holds something else than a data set of ours */
  static async open(root: string, plan: DatasetPlan, request: DatasetRequest, host: Host): Promise<SetFiles> {
    await completePublishing(join(root, MANIFEST), tagOf(host), host);
    await clearSetLeftovers(root, host);
    const before = await filesOfSet(root);
    if (before === undefined && !(await isBare(root)))
      throw new UsageError(
        `${request.output} is not empty, and not a data set of callarchive: name another folder with -o.`,
      );
    const files = new SetFiles(root, plan, request, tagOf(host));
    const data = plan.wanted.flatMap((wanted) =>
      plan.splits.map(({ name }) => `${files.#prefix(wanted)}${name}${EXTENSIONS[kindOf(request)]}`),
    );
    await checkNoStranger(root, request.output, [...SET_SIDECARS, ...data], new Set(before));
    return files;
  }

  /** @param origin what provenance says of the sample: see `originLine` */
  async add({ wanted, sample, row, line, halfAnswers }: WrittenRow, split: string, origin: string): Promise<void> {
    const track = await this.#track(wanted, split);
    await track.add({ sampleId: sample.id, line, row, halfAnswers, origin });
  }

  /** A file beside the data, to be filled bit by bit. */
  sidecar(name: string): Promise<AtomicFile> {
    return this.#files.file(name);
  }

  /** Writes what was held back for shuffling; then the data files and their names are known. */
  async complete(): Promise<DataFile[]> {
    const files: DataFile[] = [];
    for (const track of this.#ordered()) files.push(...(await track.complete()));
    return files;
  }

  /** Makes everything visible; what an earlier data set left there and this one does not have is removed. */
  async publish(facts: JsonObject): Promise<FileFacts[]> {
    const before = new Set(await filesOfSet(this.#root));
    // Once more: now the names of all files are known.
    await checkNoStranger(this.#root, this.#request.output, this.#files.names(), before);
    return this.#files.publish((files) => completeManifest(facts, files), { replaces: { files: before, facts } });
  }

  async discard(): Promise<void> {
    for (const track of this.#tracks.values()) await track.discard();
    await this.#files.discard();
  }

  /** By preset, then split, as they were asked for. */
  #ordered(): Track[] {
    return this.#plan.wanted.flatMap((wanted) =>
      this.#plan.splits.flatMap(({ name }) => this.#tracks.get(`${wanted.preset.name}/${name}`) ?? []),
    );
  }

  #prefix({ preset }: PresetPlan): string {
    return prefixOf(preset, this.#plan.wanted.length);
  }

  async #track(wanted: PresetPlan, split: string): Promise<Track> {
    const { preset, options } = wanted;
    const key = `${preset.name}/${split}`;
    const known = this.#tracks.get(key);
    if (known) return known;
    const { maxFileSize, shuffle, seed } = this.#request;
    const least = Math.min(maxFileSize ?? Number.POSITIVE_INFINITY, preset.maxFileBytes ?? Number.POSITIVE_INFINITY);
    const columns: RowOptions = {
      ...(options.loss && preset.can.loss && { loss: preset.can.loss.key as NonNullable<RowOptions["loss"]> }),
      ...(options.parts && { parts: true }),
    };
    const prefix = this.#prefix(wanted);
    this.#provenance ??= await this.sidecar(PROVENANCE);
    const shards = new ShardFiles({
      files: this.#files,
      prefix,
      split,
      kind: kindOf(this.#request),
      limit: Number.isFinite(least) ? least : undefined,
      preset: preset.name,
      columns,
    });
    const track = new Track({
      preset: preset.name,
      split,
      shards,
      provenance: this.#provenance,
      openSpool: (order) => Spool.open(join(this.#root, prefix), this.#tag, order),
      ...(shuffle && { seed }),
    });
    this.#tracks.set(key, track);
    return track;
  }
}

const kindOf = ({ parquet, gzip }: DatasetRequest): Kind => (parquet ? "parquet" : gzip ? "gzip" : "jsonl");
