import { hash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { mediaPath } from "../../core/media.ts";
import { syncFolder } from "../../sinks/atomic-file.ts";
import type { Host } from "../context.ts";

/** A stored file by its content. */
interface Content {
  sha256: string;
  type?: string | undefined;
}

/** A downloaded file. */
export interface KeptFile extends Content {
  bytes: number;
  seconds?: number | undefined;
}

/** The name of what is downloaded from a place. It is a hash, so that a place never becomes a path. */
export const nameOfPart = (place: string): string => hash("sha256", place);

/** The folder beside an archive that holds the files of its conversations, each named by its SHA-256. */
export interface MediaFolder {
  path: string;
  /** Where the file of this content is. */
  pathOf(content: Content): string;
  /** Where a file is downloaded to. */
  partOf(place: string): Promise<string>;
  /** Moves a downloaded file to its place, and notes it until `release`. One with the same content may be there already. */
  keep(place: string, file: KeptFile): Promise<void>;
  /** What `keep` noted of a place: so a file is not downloaded again that the archive does not know yet. */
  kept(place: string): Promise<KeptFile | undefined>;
  /** The archive knows it: the note is not needed any more. */
  release(place: string): Promise<void>;
  /** Deletes a file. */
  remove(content: Content): Promise<void>;
  /** Deletes what is there of a file that was not downloaded to its end. @param name `nameOfPart` of its place */
  removePart(name: string): Promise<void>;
  /** The files of all contents, as the names in the folder, sorted; none when there is no folder. */
  files(): AsyncGenerator<{ path: string; name: string }>;
}

const PARTS = "parts";
/** Of a file that is stored, and that the archive does not know yet. */
const NOTE = ".stored.json";
const MODE = 0o700;

/** @param archive the archive's file; false: an archive of one run, which keeps no files */
export const mediaFolder = (archive: string | false, { cwd }: Pick<Host, "cwd">): MediaFolder => {
  const root = `${resolve(cwd, String(archive))}.media`;
  const partPath = (place: string): string => join(root, PARTS, nameOfPart(place));
  const pathOf = (content: Content): string => join(root, ...mediaPath(content).split("/"));
  return {
    path: root,
    pathOf,
    partOf: async (place) => {
      await mkdir(join(root, PARTS), { recursive: true, mode: MODE });
      return partPath(place);
    },
    keep: async (place, file) => {
      const path = pathOf(file);
      const created = await mkdir(dirname(path), { recursive: true, mode: MODE });
      await rename(partPath(place), path);
      // The archive will say that it is stored: its name must survive a power failure.
      await syncFolder(dirname(path));
      if (created !== undefined) await syncFolder(root);
      await writeFile(`${partPath(place)}${NOTE}`, JSON.stringify(file), { mode: 0o600 });
    },
    kept: async (place) => {
      const file = parseNote(await readFile(`${partPath(place)}${NOTE}`, "utf8").catch(() => ""));
      if (!file) return undefined;
      const found = await stat(pathOf(file)).catch(() => undefined);
      return found?.size === file.bytes ? file : undefined;
    },
    release: (place) => rm(`${partPath(place)}${NOTE}`, { force: true }),
    remove: async (content) => {
      await rm(pathOf(content), { force: true });
    },
    removePart: async (name) => {
      if (!/^[0-9a-f]{64}$/.test(name)) return;
      for (const ending of ["", ".part", ".part.json", NOTE])
        await rm(join(root, PARTS, name + ending), { force: true });
    },
    async *files() {
      for (const folder of await names(root)) {
        if (folder === PARTS) continue;
        for (const name of await names(join(root, folder))) yield { path: join(root, folder, name), name };
      }
    },
  };
};

const parseNote = (text: string): KeptFile | undefined => {
  try {
    const { sha256, bytes, type, seconds } = JSON.parse(text) as Record<string, unknown>;
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256) || typeof bytes !== "number") return undefined;
    return {
      sha256,
      bytes,
      ...(typeof type === "string" && { type }),
      ...(typeof seconds === "number" && { seconds }),
    };
  } catch {
    return undefined;
  }
};

const names = async (folder: string): Promise<string[]> => {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? (await readdir(folder)).toSorted() : [];
};
