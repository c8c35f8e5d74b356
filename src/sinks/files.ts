import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Chunk, Put } from "../core/ports.ts";
import type { JsonObject } from "../core/transcript.ts";
import { type FileFacts, PartFile, syncFolder } from "./part-file.ts";

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

/**
A set of files that belong together: they appear when all are whole, and the manifest after them.

Files that a writer gives whole (`raw`) appear one by one; the writer's main file then lists them with their SHA-256, in
the form that `sha256sum -c` reads.
*/
export class Files {
  readonly #options: FilesOptions;
  readonly #parts = new Map<string, PartFile>();

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
        const touched = new Set<PartFile>([await this.#part(main)]);
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
  @param options.replace the manifest that is there describes files that will be replaced
  */
  async publish(
    manifestOf: (files: FileFacts[]) => Promise<JsonObject>,
    { dropEmpty = false, replace = true }: { dropEmpty?: boolean; replace?: boolean } = {},
  ): Promise<FileFacts[]> {
    const { root, manifest } = this.#options;
    const all = [...this.#parts.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [, part] of all) await part.seal();
    const parts = all.filter(([, { rows }]) => rows > 0 || !dropEmpty);
    for (const [, part] of all) if (dropEmpty && part.rows === 0) await part.discard();
    const files = parts.map(([name, part]) => part.facts(name));
    const content = await manifestOf(files);
    // A manifest beside files that it does not describe would be worse than none.
    if (replace) await rm(join(root, manifest), { force: true });
    for (const [, part] of parts) await part.publish();
    for (const folder of new Set(parts.map(([, { path }]) => dirname(path)))) await syncFolder(folder);
    const last = await PartFile.open(join(root, manifest), this.#options.tag);
    try {
      last.add(`${JSON.stringify(content, null, 2)}\n`);
      await last.seal();
      await last.publish();
    } catch (error) {
      await last.discard();
      throw error;
    }
    await syncFolder(root);
    return files;
  }

  /** Leaves nothing half-written behind. */
  async discard(): Promise<void> {
    for (const part of this.#parts.values()) await part.discard();
  }

  async #part(name: string): Promise<PartFile> {
    const known = this.#parts.get(name);
    if (known) return known;
    const part = await PartFile.open(join(this.#options.root, name), this.#options.tag);
    this.#parts.set(name, part);
    return part;
  }

  async #writeWhole(pieces: readonly Piece[], main: string): Promise<void> {
    for (let from = 0; from < pieces.length; from += ABREAST) {
      await Promise.all(pieces.slice(from, from + ABREAST).map((piece) => this.#writeOne(piece)));
    }
    const sums = await this.#part(main);
    for (const { file, data, rows } of pieces) {
      const hash = createHash("sha256").update(data).digest("hex");
      sums.add(`${hash}  ${relative(dirname(main), file)}\n`, rows);
    }
  }

  async #writeOne({ file, data }: Piece): Promise<void> {
    const part = await PartFile.open(join(this.#options.root, file), this.#options.tag);
    try {
      part.add(data);
      await part.seal();
      await part.publish();
    } catch (error) {
      await part.discard();
      throw error;
    }
  }
}
