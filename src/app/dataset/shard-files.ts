import { gzipSync } from "node:zlib";
import type { JsonObject } from "../../core/transcript.ts";
import { createParquet, type ParquetFile } from "../../presets/files/parquet.ts";
import { columnsOf, type RowOptions } from "../../presets/files/parquet-columns.ts";
import { createShards, shardName } from "../../presets/files/shards.ts";
import type { AtomicFile } from "../../sinks/atomic-file.ts";
import type { FileSet } from "../../sinks/file-set.ts";

export type Kind = "jsonl" | "gzip" | "parquet";

export const EXTENSIONS: Record<Kind, string> = { jsonl: ".jsonl", gzip: ".jsonl.gz", parquet: ".parquet" };
/** Compressed in pieces of this size, in characters: a gzip file may have many members. */
export const PIECE = 1024 * 1024;

export interface ShardOptions {
  files: FileSet;
  /** The files' folder in the set, for example `trl/`; empty for the set itself. */
  prefix: string;
  split: string;
  kind: Kind;
  /** Bytes of text per file; undefined for one file. */
  limit: number | undefined;
  /** For Parquet's schema. */
  preset: string;
  columns: RowOptions;
}

/** The files of one split of one preset, filled one after the other. */
export class ShardFiles {
  readonly #options: ShardOptions;
  readonly #shards: ReturnType<typeof createShards>;
  readonly #files: AtomicFile[] = [];
  #parquet: ParquetFile | undefined;
  #text = "";
  #rows = 0;
  /** Rows in the last file. */
  #filled = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#shards = createShards(options.limit);
  }

  /** Returns where the row will be: the number of the file, from 0, and of the row in it, from 1. */
  async add(line: string, row: () => JsonObject): Promise<{ shard: number; row: number }> {
    const shard = this.#shards.place(Buffer.byteLength(line));
    if (shard >= this.#files.length) await this.#next(shard);
    this.#filled += 1;
    if (this.#parquet) this.#parquet.add(row(), line.length);
    else {
      this.#text += line;
      this.#rows += 1;
    }
    if (this.#text.length >= PIECE) this.#pass();
    await this.#files.at(-1)?.flush();
    return { shard, row: this.#filled };
  }

  /** The name of the only file; undefined if there may be several, whose names tell their number. */
  get onlyName(): string | undefined {
    const { limit, prefix, split, kind } = this.#options;
    return limit === undefined ? `${prefix}${shardName(split, EXTENSIONS[kind])}` : undefined;
  }

  /** Completes the files and gives them their final names, which contain the number of files. */
  async seal(): Promise<{ name: string; rows: number; bytes: number }[]> {
    await this.#end();
    const { files, prefix, split, kind } = this.#options;
    return this.#files.map(({ rows, bytes }, at) => {
      const name = `${prefix}${shardName(split, EXTENSIONS[kind], at, this.#files.length)}`;
      files.rename(this.#unnumbered(at), name);
      return { name, rows, bytes };
    });
  }

  async #next(shard: number): Promise<void> {
    await this.#end();
    this.#filled = 0;
    const { files, kind, preset, columns } = this.#options;
    const file = await files.file(this.#unnumbered(shard));
    this.#files.push(file);
    if (kind === "parquet")
      this.#parquet = await createParquet(columnsOf(preset, columns), (data, { rows = 0 } = {}) =>
        file.add(data, rows),
      );
  }

  #unnumbered(shard: number): string {
    const { prefix, split, kind } = this.#options;
    return `${prefix}${split}.${shard}${EXTENSIONS[kind]}`;
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
