import { lstat, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { JsonObject } from "../core/transcript.ts";

/** An output of an earlier run that a new one replaces. Names are relative to the folder. */
export interface EarlierOutput {
  /** The files of the earlier run. */
  files: ReadonlySet<string>;
  /** What the manifest says besides the names, until the new output is complete. */
  facts: JsonObject;
  /** Whether another file of the output lists this file, so that the manifest does not name it. @default false */
  isListed?: (name: string) => boolean;
  /** Files of others whose names look like those of listed files. */
  strangers?: readonly string[];
}

/** Which of these names exist with content that would be lost. An empty file, as `mktemp` makes it, does not count. */
export const namesInTheWay = async (root: string, names: Iterable<string>): Promise<string[]> => {
  const found: string[] = [];
  for (const name of names) {
    const there = await lstat(join(root, name)).catch(() => undefined);
    if (there && !(there.isFile() && there.size === 0)) found.push(name);
  }
  return found;
};

/** Deletes files, then their folders if these are empty. Follows no link, because its target is outside the folder. */
export const removeFiles = async (root: string, names: readonly string[]): Promise<void> => {
  for (const name of names) if (await isPlainFile(root, name)) await unlink(join(root, name));
  // rmdir fails when other files are in the folder.
  for (const folder of new Set(names.map((name) => dirname(name))))
    if (folder !== ".") await rmdir(join(root, folder)).catch(() => undefined);
};

/** Whether a name is a file, in `root` or one folder below, and neither of them is a link. */
export const isPlainFile = async (root: string, name: string): Promise<boolean> =>
  (await lstat(join(root, name)).catch(() => undefined))?.isFile() === true &&
  (await isPlainFolder(root, dirname(name)));

/** Whether a name is a folder and not a link. */
export const isPlainFolder = async (root: string, name: string): Promise<boolean> =>
  name === "." || (await lstat(join(root, name)).catch(() => undefined))?.isDirectory() === true;
