import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Chunk, Put } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import { AtomicFile, discardPart, type FileFacts, nameOfPart, publishPart, syncFolder } from "./atomic-file.ts";
import { type EarlierOutput, removeFiles } from "./earlier-output.ts";
import { incompleteManifest, writeManifest } from "./manifest.ts";

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

export interface FileSetOptions {
  /** The folder that names are relative to. */
  root: string;
  /** The manifest's name in it. */
  manifest: string;
  /** Tells this run's unfinished files from another's: unique. */
  tag: string;
}

export interface PublishOptions {
  /** Files without rows do not appear. @default false */
  dropEmpty?: boolean;
  /** Given when the files take the place of all that an earlier run wrote. */
  replaces?: EarlierOutput;
}

/**
Files that belong together: they appear when all are whole, and the manifest after them.

Files that a writer gives whole (`raw`) wait beside their places for the others; the writer's main file lists them with
their SHA-256, in the form that `sha256sum -c` reads.
*/
export class FileSet {
  readonly #options: FileSetOptions;
  readonly #files = new Map<string, AtomicFile>();
  /** Where files that were given whole wait, as names relative to the root. */
  readonly #waitingIn = new Set<string>();

  constructor(options: FileSetOptions) {
    this.#options = options;
  }

  /** A file to be filled piece by piece, made when it is first asked for. */
  async file(name: string): Promise<AtomicFile> {
    const known = this.#files.get(name);
    if (known) return known;
    const file = await AtomicFile.open(join(this.#options.root, name), this.#options.tag);
    this.#files.set(name, file);
    return file;
  }

  /** A file's name that is known only now; in the same folder. */
  rename(name: string, as: string): void {
    const file = this.#files.get(name);
    if (!file || this.#files.has(as)) throw new Error(`Internal error: ${name} cannot become ${as}`);
    this.#files.delete(name);
    this.#files.set(as, file);
  }

  /** Of the files that are filled piece by piece. */
  names(): string[] {
    return [...this.#files.keys()];
  }

  /** @param main the file that pieces without a name of their own go to. */
  output(main: string): FileOutput {
    let pieces: Piece[] = [];
    return {
      put: (data, { rows = 0, file = main, whole = false } = {}) => void pieces.push({ file, data, rows, whole }),
      flush: async () => {
        // Also when it stays empty: no rows is a result too.
        const touched = new Set<AtomicFile>([await this.file(main)]);
        const taken = pieces;
        pieces = [];
        for (const { file: name, data, rows } of taken.filter(({ whole }) => !whole)) {
          const file = await this.file(name);
          file.add(data, rows);
          touched.add(file);
        }
        await this.#writeWhole(
          taken.filter(({ whole }) => whole),
          main,
        );
        for (const file of touched) await file.flush();
      },
    };
  }

  /**
  Makes everything visible; the manifest comes last.

  @param manifestOf what it says, given the files of this run; asked when they are whole, before any is visible
  */
  async publish(
    manifestOf: (files: FileFacts[]) => JsonObject | Promise<JsonObject>,
    { dropEmpty = false, replaces }: PublishOptions = {},
  ): Promise<FileFacts[]> {
    const { root, manifest, tag } = this.#options;
    const all = [...this.#files].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [, file] of all) await file.seal();
    const filled = all.filter(([, { rows }]) => rows > 0 || !dropEmpty);
    for (const [, file] of all) if (dropEmpty && file.rows === 0) await file.discard();
    const facts = filled.map(([name, file]) => file.facts(name));
    const content = await manifestOf(facts);
    const whole = await this.#waiting();
    const appearing = new Set([...filled.map(([name]) => name), ...whole]);
    // From here on the folder is between two runs: should this one be killed, the next knows whose the files are.
    if (replaces) await writeManifest(join(root, manifest), incompleteManifest(replaces, appearing), tag);
    await abreast(whole, (name) => publishPart(join(root, name), tag));
    for (const [name, file] of filled) await file.publish(join(root, name));
    for (const folder of new Set(filled.map(([name]) => dirname(join(root, name))))) await syncFolder(folder);
    if (replaces)
      await removeFiles(
        root,
        [...replaces.files].filter((name) => !appearing.has(name)),
      );
    await writeManifest(join(root, manifest), content, tag);
    return facts;
  }

  /** Leaves nothing half-written behind. */
  async discard(): Promise<void> {
    const { root, tag } = this.#options;
    for (const file of this.#files.values()) await file.discard();
    for (const name of await this.#waiting()) await discardPart(join(root, name), tag);
  }

  /** The names of the files that were given whole and have not appeared yet. */
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
    await abreast(pieces, (piece) => this.#writeOne(piece));
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

/** Waits for all that has begun, also when one fails: nothing is still being written when this is over. */
const abreast = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  for (let from = 0; from < items.length; from += ABREAST) {
    const done = await Promise.allSettled(items.slice(from, from + ABREAST).map(work));
    for (const result of done) if (result.status === "rejected") throw result.reason;
  }
};
