import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { JsonObject } from "../../core/transcript.ts";
import { createParquet, type ParquetFile } from "../../presets/files/parquet.ts";
import { columnsOf, type RowOptions } from "../../presets/files/parquet-columns.ts";
import { createShards, shardName } from "../../presets/files/shards.ts";
import { AtomicFile } from "../../sinks/atomic-file.ts";

export type Kind = "jsonl" | "gzip" | "parquet";

export const EXTENSIONS: Record<Kind, string> = { jsonl: ".jsonl", gzip: ".jsonl.gz", parquet: ".parquet" };
/** Compressed in pieces of this size, in characters: a gzip file may have many members. */
const PIECE = 1024 * 1024;

export interface ShardOptions {
  folder: string;
  split: string;
  kind: Kind;
  /** Bytes of text per file; undefined for one file. */
  limit: number | undefined;
  tag: string;
  /** For Parquet's schema. */
  preset: string;
  columns: RowOptions;
}

/** A file that is written, sealed, and named only when it is known how many there are. */
export interface Sealed {
  name: string;
  file: AtomicFile;
}

/** The files of one split of one preset, filled one after the other. */
export class ShardFiles {
  readonly #options: ShardOptions;
  readonly #shards: ReturnType<typeof createShards>;
  readonly #files: AtomicFile[] = [];
  #parquet: ParquetFile | undefined;
  #text = "";
  #rows = 0;
  #sealed = false;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#shards = createShards(options.limit);
  }

  async add(line: string, row: () => JsonObject): Promise<void> {
    const shard = this.#shards.place(Buffer.byteLength(line));
    if (shard >= this.#files.length) await this.#next(shard);
    if (this.#parquet) this.#parquet.add(row(), line.length);
    else {
      this.#text += line;
      this.#rows += 1;
    }
    if (this.#text.length >= PIECE) this.#pass();
    await this.#files.at(-1)?.flush();
  }

  /** Everything on disk, under unfinished names; nothing more can be added. */
  async seal(): Promise<Sealed[]> {
    if (!this.#sealed) await this.#end();
    this.#sealed = true;
    const { split, kind } = this.#options;
    return this.#files.map((file, at) => ({
      name: shardName(split, EXTENSIONS[kind], at, this.#files.length),
      file,
    }));
  }

  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard();
  }

  async #next(shard: number): Promise<void> {
    await this.#end();
    const { folder, split, kind, tag, preset, columns } = this.#options;
    const file = await AtomicFile.open(join(folder, `${split}.${shard}${EXTENSIONS[kind]}`), tag);
    this.#files.push(file);
    if (kind === "parquet")
      this.#parquet = await createParquet(columnsOf(preset, columns), (data, { rows = 0 } = {}) =>
        file.add(data, rows),
      );
  }

  async #end(): Promise<void> {
    const file = this.#files.at(-1);
    if (!file) return;
    this.#pass();
    this.#parquet?.end();
    this.#parquet = undefined;
    await file.seal();
  }

  #pass(): void {
    if (this.#text === "") return;
    // Level 6 and no time in the header: the same bytes every time.
    this.#files.at(-1)?.add(this.#options.kind === "gzip" ? gzipSync(this.#text) : this.#text, this.#rows);
    this.#text = "";
    this.#rows = 0;
  }
}
