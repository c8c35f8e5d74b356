import { hash } from "node:crypto";
import type { JsonObject } from "../../core/transcript.ts";
import type { DataFile } from "../../reports/facts.ts";
import type { AtomicFile } from "../../sinks/atomic-file.ts";
import type { ShardFiles } from "./shard-files.ts";
import type { Spool } from "./spool.ts";

export interface TrackOptions {
  preset: string;
  split: string;
  shards: ShardFiles;
  provenance: AtomicFile;
  /** @param seed of the order; without it the order stays */
  openSpool: (seed?: string) => Promise<Spool>;
  /** Rows are shuffled with it; absent without shuffling. */
  seed?: string;
}

export interface TrackRow {
  sampleId: string;
  /** With its line feed. */
  line: string;
  row: JsonObject;
  /** How many half answers it teaches. */
  halfAnswers: number;
  /** See `originLine`. */
  origin: string;
}

/** Lines of provenance that wait for a write, in characters. */
const PIECE = 256 * 1024;

/** The rows of one split in one preset's shape, with a line of provenance each. */
export class Track {
  readonly #options: TrackOptions;
  /** Rows that wait to be shuffled. */
  #shuffled: Spool | undefined;
  /** Lines of provenance that wait for the name of their file. */
  #unnamed: Spool | undefined;
  #waiting = 0;
  /** How lines of provenance begin. */
  #head: { file: string; text: string } | undefined;

  constructor(options: TrackOptions) {
    this.#options = options;
  }

  async add(added: TrackRow): Promise<void> {
    const { seed, openSpool } = this.#options;
    if (seed === undefined) return this.#write(added);
    this.#shuffled ??= await openSpool(seed);
    // JSON has no line feeds: the first one ends the row.
    this.#shuffled.add(added.sampleId, `${added.line}${added.halfAnswers} ${added.origin}`);
    await this.#shuffled.flush();
  }

  async complete(): Promise<DataFile[]> {
    const { preset, split, shards } = this.#options;
    for await (const text of this.#shuffled?.texts() ?? []) {
      const end = text.indexOf("\n") + 1;
      const line = text.slice(0, end);
      const begin = text.indexOf(" ", end) + 1;
      const row = JSON.parse(line) as JsonObject;
      const halfAnswers = Number(text.slice(end, begin));
      await this.#write({ sampleId: "", line, row, halfAnswers, origin: text.slice(begin) });
    }
    const files = await shards.seal();
    for await (const text of this.#unnamed?.texts() ?? []) {
      const end = text.indexOf(" ");
      await this.#tell(files[Number(text.slice(0, end))]?.name ?? "", text.slice(end + 1), "");
    }
    await this.discard();
    return files.map((file) => ({ preset, split, ...file }));
  }

  /** Removes what waits. */
  async discard(): Promise<void> {
    await this.#shuffled?.remove();
    await this.#unnamed?.remove();
  }

  async #write({ line, row, halfAnswers, origin }: TrackRow): Promise<void> {
    const { shards, openSpool } = this.#options;
    const place = await shards.add(line, () => row);
    const name = shards.onlyName;
    const half = halfAnswers > 0 ? `"halfAnswers":${halfAnswers},` : "";
    const rest = `"row":${place.row},"sha256":"${rowDigest(line)}",${half}`;
    if (name !== undefined) return this.#tell(name, rest, origin);
    this.#unnamed ??= await openSpool();
    this.#unnamed.add("", `${place.shard} ${rest}${origin}`);
    await this.#unnamed.flush();
  }

  /** Adds a line of provenance: the part with the file's name, then the others. */
  async #tell(file: string, rest: string, origin: string): Promise<void> {
    const { preset, split, provenance } = this.#options;
    if (this.#head?.file !== file)
      this.#head = { file, text: `${JSON.stringify({ preset, split, file }).slice(0, -1)},` };
    provenance.add(this.#head.text);
    provenance.add(rest);
    provenance.add(origin, 1);
    this.#waiting += rest.length + origin.length;
    if (this.#waiting < PIECE) return;
    this.#waiting = 0;
    await provenance.flush();
  }
}

/** The SHA-256 of a row's line without its line feed, hex; of Parquet the line that JSON lines would have. */
export const rowDigest = (line: string): string => hash("sha256", line.endsWith("\n") ? line.slice(0, -1) : line);
