import { hash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { mediaPath } from "../../core/media.ts";
import { syncFolder } from "../../sinks/atomic-file.ts";
import type { Host } from "../context.ts";

/** A stored file by its content. */
interface Content {
  sha256: string;
  type?: string | undefined;
}

/** The folder beside an archive that holds the files of its conversations, each named by its SHA-256. */
export interface MediaFolder {
  path: string;
  /** Where the file of this content is. */
  pathOf(content: Content): string;
  /** Where a file is downloaded to. Its name is a hash, so that a place never becomes a path. */
  partOf(place: string): Promise<string>;
  /** Moves a downloaded file to its place. Another file with the same content may be there already. */
  keep(part: string, content: Content): Promise<void>;
  /** Deletes a file and what is left of its folder. */
  remove(content: Content): Promise<void>;
  /** The files of all contents, as the names in the folder, sorted; none when there is no folder. */
  files(): AsyncGenerator<{ path: string; name: string }>;
}

const PARTS = "parts";
const MODE = 0o700;

/** @param archive the archive's file; false: an archive of one run, which keeps no files */
export const mediaFolder = (archive: string | false, { cwd }: Pick<Host, "cwd">): MediaFolder => {
  const root = `${resolve(cwd, String(archive))}.media`;
  const pathOf = (content: Content): string => join(root, ...mediaPath(content).split("/"));
  return {
    path: root,
    pathOf,
    partOf: async (place) => {
      await mkdir(join(root, PARTS), { recursive: true, mode: MODE });
      return join(root, PARTS, hash("sha256", place));
    },
    keep: async (part, content) => {
      const path = pathOf(content);
      const created = await mkdir(dirname(path), { recursive: true, mode: MODE });
      await rename(part, path);
      // The archive will say that it is stored: its name must survive a power failure.
      await syncFolder(dirname(path));
      if (created !== undefined) await syncFolder(root);
    },
    remove: async (content) => {
      await rm(pathOf(content), { force: true });
    },
    async *files() {
      for (const folder of await names(root)) {
        if (folder === PARTS) continue;
        for (const name of await names(join(root, folder))) yield { path: join(root, folder, name), name };
      }
    },
  };
};

const names = async (folder: string): Promise<string[]> => {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? (await readdir(folder)).toSorted() : [];
};
