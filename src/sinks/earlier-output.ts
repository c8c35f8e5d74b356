import { lstat, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonObject } from "../core/transcript.ts";

/** An output that another one takes the place of. Names are relative to the folder of both. */
export interface EarlierOutput {
  /** Its own files. */
  files: ReadonlySet<string>;
  /** What the manifest says, beside the names, until the other one is complete. */
  facts: JsonObject;
  /** Files that the manifest need not name until then: another file of the output lists them. @default none */
  isListed?: (name: string) => boolean;
  /** Files that would pass for such ones, and that were there before. */
  strangers?: readonly string[];
}

/** Of these names, those of something that would be lost. An empty file is nothing, as `mktemp` makes it. */
export const namesInTheWay = async (root: string, names: Iterable<string>): Promise<string[]> => {
  const found: string[] = [];
  for (const name of names) {
    const there = await lstat(join(root, name)).catch(() => undefined);
    if (there && !(there.isFile() && there.size === 0)) found.push(name);
  }
  return found;
};

/** Removes files, and the folders of theirs that are empty then. Through no link: what it leads to is not in the folder. */
export const removeFiles = async (root: string, names: readonly string[]): Promise<void> => {
  for (const name of names) if (await isPlainFile(root, name)) await unlink(join(root, name));
  // Not when something else is in it.
  for (const folder of new Set(names.map((name) => dirname(name))))
    if (folder !== ".") await rmdir(join(root, folder)).catch(() => undefined);
};

/** Whether a file is there, in the folder itself or in one right below it, and no link leads to it. */
export const isPlainFile = async (root: string, name: string): Promise<boolean> =>
  (await lstat(join(root, name)).catch(() => undefined))?.isFile() === true &&
  (await isPlainFolder(root, dirname(name)));

/** Whether a folder is there, and no link. */
export const isPlainFolder = async (root: string, name: string): Promise<boolean> =>
  name === "." || (await lstat(join(root, name)).catch(() => undefined))?.isDirectory() === true;
