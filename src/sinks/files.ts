import { createHash } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { Chunk, Put } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import { AtomicFile, type FileFacts, syncFolder, writeAtomically } from "./atomic-file.ts";

/** How many whole files are written at the same time. */
const MAX_CONCURRENT = 16;

interface Piece {
  file: string;
  data: Chunk;
  rows: number;
  whole: boolean;
}

/** The output of one writer. */
export interface FileOutput {
  put: Put;
  flush(): Promise<void>;
}

export interface FilesOptions {
  /** The folder that names are relative to. */
  root: string;
  /** The manifest's name in it. */
  manifest: string;
  /** Marks the unfinished files of this run; unique for each run. */
  tag: string;
}

/** How the files of this run replace those of an older run. */
export interface Exchange {
  /**
  The manifest's content while files are replaced: it names the old and the new files. If the run is killed then, the
  next run finds in it what it needs.
  */
  announce(isNew: (name: string) => boolean, names: readonly string[]): JsonObject;
  /** Deletes the files of the older run that this run did not write. */
  clear(isNew: (name: string) => boolean): Promise<void>;
}

/**
A set of files that belong together: they appear when all are complete, then their manifest.

Whole files of a writer (`raw`) wait beside their final names until the others are complete. The writer's main file
lists them with their SHA-256, in the format of `sha256sum -c`.
*/
export class Files {
  readonly #options: FilesOptions;
  readonly #parts = new Map<string, AtomicFile>();
  /** Folders in which whole files wait, relative to the root. */
  readonly #waitingIn = new Set<string>();

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** The output of one writer. @param main the file for pieces without a file name */
  output(main: string): FileOutput {
    let pieces: Piece[] = [];
    return {
      put: (data, { rows = 0, file = main, whole = false } = {}) => void pieces.push({ file, data, rows, whole }),
      flush: async () => {
        // Created even when it stays empty, because no rows are a result too.
        const touched = new Set<AtomicFile>([await this.#part(main)]);
        const flushed = pieces;
        pieces = [];
        for (const { file, data, rows } of flushed.filter(({ whole }) => !whole)) {
          const part = await this.#part(file);
          part.add(data, rows);
          touched.add(part);
        }
        await this.#writeWhole(
          flushed.filter(({ whole }) => whole),
          main,
        );
        for (const part of touched) await part.flush();
      },
    };
  }

  /**
  Renames all files to their final names, then writes the manifest.

  @param manifestOf returns the manifest for the files of this run; called when they are complete, before any is renamed
  @param options.dropEmpty files without rows are deleted
  @param options.exchange given when the files replace those of an older run
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
    const separateFiles = await this.#waiting();
    const newNames = new Set([...names, ...separateFiles]);
    const isNew = (name: string): boolean => newNames.has(name);
    if (exchange) await this.#writeManifest(exchange.announce(isNew, names));
    await inGroups(separateFiles, (name) => rename(this.#waitingAt(name), join(this.#options.root, name)));
    for (const [, part] of parts) await part.publish();
    for (const folder of new Set(parts.map(([, { path }]) => dirname(path)))) await syncFolder(folder);
    if (exchange) await exchange.clear(isNew);
    await this.#writeManifest(content);
    return files;
  }

  /** Deletes all unfinished files. */
  async discard(): Promise<void> {
    for (const part of this.#parts.values()) await part.discard();
    for (const name of await this.#waiting()) await rm(this.#waitingAt(name), { force: true });
  }

  async #writeManifest(content: JsonObject): Promise<void> {
    const { root, manifest, tag } = this.#options;
    await writeAtomically(join(root, manifest), tag, (file) =>
      file.add(`${JSON.stringify(content, null, 2)}
`),
    );
  }

  #waitingAt(name: string): string {
    return `${join(this.#options.root, name)}.${this.#options.tag}.part`;
  }

  /** The names of the whole files that are not renamed yet. */
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
    const existing = this.#parts.get(name);
    if (existing) return existing;
    const part = await AtomicFile.open(join(this.#options.root, name), this.#options.tag);
    this.#parts.set(name, part);
    return part;
  }

  async #writeWhole(pieces: readonly Piece[], main: string): Promise<void> {
    await inGroups(pieces, (piece) => this.#writeOne(piece));
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

/** Runs `work` for groups of items. Awaits the whole group when one fails, so that no write runs on afterwards. */
const inGroups = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let from = 0; from < items.length; from += MAX_CONCURRENT) {
    const done = await Promise.allSettled(items.slice(from, from + MAX_CONCURRENT).map(work));
    for (const result of done) if (result.status === "rejected") throw result.reason;
  }
};
