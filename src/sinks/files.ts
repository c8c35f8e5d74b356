import { createHash } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { Chunk, Put } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import { AtomicFile, type FileFacts, syncFolder } from "./atomic-file.ts";
import { writeManifest } from "./manifest.ts";

/** Whole files written side by side. */
const ABREAST = 16;

interface Piece {
  file: string;
  data: Chunk;
  rows: number;
  whole: boolean;
}

/** Where one writer's pieces go. */
export interface FileOutput {
  put: Put;
  flush(): Promise<void>;
}

export interface FilesOptions {
  /** The folder that names are relative to. */
  root: string;
  /** The manifest's name in it. */
  manifest: string;
  /** Tells this run's unfinished files from another's: unique. */
  tag: string;
}

/** How the files of this run take the place of an older run's. */
export interface Exchange {
  /**
  What the manifest says while files change: whose they are, the old ones and the new. A run that is killed then leaves
  behind what the next one needs to know.
  */
  announce(isNew: (name: string) => boolean, names: readonly string[]): JsonObject;
  /** Removes what the older run wrote and this one did not. */
  clear(isNew: (name: string) => boolean): Promise<void>;
}

/**
A set of files that belong together: they appear when all are whole, and the manifest after them.

Files that a writer gives whole (`raw`) wait beside their places for the others; the writer's main file lists them with
their SHA-256, in the form that `sha256sum -c` reads.
*/
export class Files {
  readonly #options: FilesOptions;
  readonly #parts = new Map<string, AtomicFile>();
  /** Where files that were given whole wait, as names relative to the root. */
  readonly #waitingIn = new Set<string>();

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** @param main the file that pieces without a name of their own go to. */
  output(main: string): FileOutput {
    let pieces: Piece[] = [];
    return {
      put: (data, { rows = 0, file = main, whole = false } = {}) => void pieces.push({ file, data, rows, whole }),
      flush: async () => {
        // Also when it stays empty: no rows is a result too.
        const touched = new Set<AtomicFile>([await this.#part(main)]);
        const taken = pieces;
        pieces = [];
        for (const { file, data, rows } of taken.filter(({ whole }) => !whole)) {
          const part = await this.#part(file);
          part.add(data, rows);
          touched.add(part);
        }
        await this.#writeWhole(
          taken.filter(({ whole }) => whole),
          main,
        );
        for (const part of touched) await part.flush();
      },
    };
  }

  /**
  Makes everything visible; the manifest comes last.

  @param manifestOf what it says, given the files of this run; asked when they are whole, before any is visible
  @param options.dropEmpty files without rows do not appear
  @param options.exchange given when the files replace all that an older run wrote
  */
  async publish(
    manifestOf: (files: FileFacts[]) => Promise<JsonObject>,
    { dropEmpty = false, exchange }: { dropEmpty?: boolean; exchange?: Exchange } = {},
  ): Promise<FileFacts[]> {
    const all = [...this.#parts.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [, part] of all) await part.seal();
    const parts = all.filter(([, { rows }]) => rows > 0 || !dropEmpty);
    for (const [, part] of all) if (dropEmpty && part.rows === 0) await part.discard();
    const files = parts.map(([name, part]) => part.facts(name));
    const content = await manifestOf(files);
    const names = files.map(({ name }) => name);
    const whole = await this.#waiting();
    const appearing = new Set([...names, ...whole]);
    const isNew = (name: string): boolean => appearing.has(name);
    if (exchange) await this.#writeManifest(exchange.announce(isNew, names));
    await abreast(whole, (name) => rename(this.#waitingAt(name), join(this.#options.root, name)));
    for (const [, part] of parts) await part.publish();
    for (const folder of new Set(parts.map(([, { path }]) => dirname(path)))) await syncFolder(folder);
    if (exchange) await exchange.clear(isNew);
    await this.#writeManifest(content);
    return files;
  }

  /** Leaves nothing half-written behind. */
  async discard(): Promise<void> {
    for (const part of this.#parts.values()) await part.discard();
    for (const name of await this.#waiting()) await rm(this.#waitingAt(name), { force: true });
  }

  async #writeManifest(content: JsonObject): Promise<void> {
    const { root, manifest, tag } = this.#options;
    await writeManifest(join(root, manifest), content, tag);
  }

  #waitingAt(name: string): string {
    return `${join(this.#options.root, name)}.${this.#options.tag}.part`;
  }

  /** The names of the files that were given whole and have not appeared yet. */
  async #waiting(): Promise<string[]> {
    const { root, tag } = this.#options;
    const ending = `.${tag}.part`;
    const names: string[] = [];
    for (const folder of this.#waitingIn)
      for (const file of await readdir(join(root, folder)).catch(() => []))
        if (file.endsWith(ending)) names.push(join(folder, basename(file, ending)));
    return names.filter((name) => !this.#parts.has(name));
  }

  async #part(name: string): Promise<AtomicFile> {
    const known = this.#parts.get(name);
    if (known) return known;
    const part = await AtomicFile.open(join(this.#options.root, name), this.#options.tag);
    this.#parts.set(name, part);
    return part;
  }

  async #writeWhole(pieces: readonly Piece[], main: string): Promise<void> {
    await abreast(pieces, (piece) => this.#writeOne(piece));
    const sums = await this.#part(main);
    for (const { file, data, rows } of pieces) {
      const hash = createHash("sha256").update(data).digest("hex");
      sums.add(`${hash}  ${relative(dirname(main), file)}\n`, rows);
    }
  }

  async #writeOne({ file, data }: Piece): Promise<void> {
    this.#waitingIn.add(dirname(file));
    const part = await AtomicFile.open(join(this.#options.root, file), this.#options.tag);
    try {
      part.add(data);
      await part.seal();
    } catch (error) {
      await part.discard();
      throw error;
    }
  }
}

/** Waits for all that has begun, also when one fails: nothing is still being written when this is over. */
const abreast = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let from = 0; from < items.length; from += ABREAST) {
    const done = await Promise.allSettled(items.slice(from, from + ABREAST).map(work));
    for (const result of done) if (result.status === "rejected") throw result.reason;
  }
};
