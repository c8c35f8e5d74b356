import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Chunk, Put } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import { AtomicFile, discardPart, type FileFacts, nameOfPart, publishPart, syncFolder } from "./atomic-file.ts";
import { type EarlierOutput, removeFiles } from "./earlier-output.ts";
import { incompleteManifest, NEXT, writeManifest } from "./manifest.ts";

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

export interface FileSetOptions {
  /** The folder that names are relative to. */
  root: string;
  /** The manifest's name in it. */
  manifest: string;
  /** Marks the unfinished files of this run; unique for each run. */
  tag: string;
}

export interface PublishOptions {
  /** Files without rows are deleted. @default false */
  dropEmpty?: boolean;
  /** Given when the files replace those of an earlier run. */
  replaces?: EarlierOutput;
  /** Files of the earlier run that stay as they are. @default none */
  stays?: readonly FileFacts[];
  /** Whether a later run can complete this one with `completePublishing`, if it is killed here. @default false */
  completable?: boolean;
}

/**
A set of files that belong together: they appear when all are complete, then their manifest.

Whole files of a writer (`raw`) wait beside their final names until the others are complete. The writer's main file
lists them with their SHA-256, in the format of `sha256sum -c`.
*/
export class FileSet {
  readonly #options: FileSetOptions;
  readonly #files = new Map<string, AtomicFile>();
  /** Folders in which whole files wait, relative to the root. */
  readonly #waitingIn = new Set<string>();

  constructor(options: FileSetOptions) {
    this.#options = options;
  }

  /** A file that is written piece by piece, created at the first call. */
  async file(name: string): Promise<AtomicFile> {
    const existing = this.#files.get(name);
    if (existing) return existing;
    const file = await AtomicFile.open(join(this.#options.root, name), this.#options.tag);
    this.#files.set(name, file);
    return file;
  }

  /** Gives a file that is not published yet another name in the same folder. */
  rename(name: string, as: string): void {
    const file = this.#files.get(name);
    if (!file || this.#files.has(as)) throw new Error(`Internal error: ${name} cannot become ${as}`);
    this.#files.delete(name);
    this.#files.set(as, file);
  }

  /** Deletes a file that is not published yet. */
  async drop(name: string): Promise<void> {
    await this.#files.get(name)?.discard();
    this.#files.delete(name);
  }

  /** The names of the files that are written piece by piece. */
  names(): string[] {
    return [...this.#files.keys()];
  }

  /** The output of one writer. @param main the file for pieces without a file name */
  output(main: string): FileOutput {
    let pieces: Piece[] = [];
    return {
      put: (data, { rows = 0, file = main, whole = false } = {}) => void pieces.push({ file, data, rows, whole }),
      flush: async () => {
        // Created even when it stays empty, because no rows are a result too.
        const touched = new Set<AtomicFile>([await this.file(main)]);
        const flushed = pieces;
        pieces = [];
        for (const { file: name, data, rows } of flushed.filter(({ whole }) => !whole)) {
          const file = await this.file(name);
          file.add(data, rows);
          touched.add(file);
        }
        await this.#writeWhole(
          flushed.filter(({ whole }) => whole),
          main,
        );
        for (const file of touched) await file.flush();
      },
    };
  }

  /**
  Renames all files to their final names, then writes the manifest.

  @param manifestOf returns the manifest for the files of this run; called when they are complete, before any is renamed
  */
  async publish(
    manifestOf: (files: FileFacts[]) => JsonObject | Promise<JsonObject>,
    { dropEmpty = false, replaces, stays = [], completable = false }: PublishOptions = {},
  ): Promise<FileFacts[]> {
    const { root, manifest, tag } = this.#options;
    const all = [...this.#files].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [, file] of all) await file.seal();
    const filled = all.filter(([, { rows }]) => rows > 0 || !dropEmpty);
    for (const [, file] of all) if (dropEmpty && file.rows === 0) await file.discard();
    const facts = [...filled.map(([name, file]) => file.facts(name)), ...stays];
    if (stays.length > 0) facts.sort((one, other) => (one.name < other.name ? -1 : 1));
    const content = await manifestOf(facts);
    const separateFiles = await this.#waiting();
    const newNames = new Set([...facts.map(({ name }) => name), ...separateFiles]);
    // If this run is killed from here on, the next one reads there which files belong to the output.
    if (replaces) {
      const incomplete = incompleteManifest(replaces, newNames);
      const next = completable ? { [NEXT]: { tag, manifest: content } } : {};
      await writeManifest(join(root, manifest), { ...incomplete, ...next }, tag);
    }
    await inGroups(separateFiles, (name) => publishPart(join(root, name), tag));
    for (const [name, file] of filled) await file.publish(join(root, name));
    for (const folder of new Set(filled.map(([name]) => dirname(join(root, name))))) await syncFolder(folder);
    if (replaces)
      await removeFiles(
        root,
        [...replaces.files].filter((name) => !newNames.has(name)),
      );
    await writeManifest(join(root, manifest), content, tag);
    return facts;
  }

  /** Deletes all unfinished files. */
  async discard(): Promise<void> {
    const { root, tag } = this.#options;
    for (const file of this.#files.values()) await file.discard();
    for (const name of await this.#waiting()) await discardPart(join(root, name), tag);
  }

  /** The names of the whole files that are not renamed yet. */
  async #waiting(): Promise<string[]> {
    const { root, tag } = this.#options;
    const names: string[] = [];
    for (const folder of this.#waitingIn)
      for (const part of await readdir(join(root, folder)).catch(() => [])) {
        const name = nameOfPart(part, tag);
        if (name !== undefined) names.push(join(folder, name));
      }
    return names.filter((name) => !this.#files.has(name));
  }

  async #writeWhole(pieces: readonly Piece[], main: string): Promise<void> {
    await inGroups(pieces, (piece) => this.#writeOne(piece));
    const sums = await this.file(main);
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
