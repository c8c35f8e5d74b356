import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isObject } from "../core/transcript.ts";
import { partPath, publishPart, syncFolder } from "./atomic-file.ts";
import { isPlainFolder, removeFiles } from "./earlier-output.ts";
import { hasEnded, TAG, type WritingProcess } from "./leftovers.ts";
import { isFileFacts, NEXT, readManifest, writeManifest } from "./manifest.ts";

/**
Completes an output whose run was killed while its files got their names, if that run was `completable`: all new files were
on disk before.

@param manifest its path
@param tag of this run
@returns `none` if there is nothing to complete; `running` while another process is at it
*/
export const completePublishing = async (
  manifest: string,
  tag: string,
  self: WritingProcess,
): Promise<"none" | "completed" | "running"> => {
  const found = await readManifest(manifest).catch(() => undefined);
  const next = found?.incomplete ? found.json[NEXT] : undefined;
  if (!found || !isObject(next) || typeof next.tag !== "string" || !TAG.test(next.tag)) return "none";
  const content = next.manifest;
  if (!isObject(content) || !Array.isArray(content.files) || !content.files.every(isFileFacts)) return "none";
  const { mtimeMs } = await lstat(manifest);
  if (!hasEnded(next.tag, self.now().getTime() - mtimeMs, self)) return "running";
  const root = dirname(manifest);
  const names = content.files.map(({ name }) => name);
  for (const name of names) {
    const path = join(root, name);
    if (!(await isPlainFolder(root, dirname(name)))) continue;
    const part = await lstat(partPath(path, next.tag)).catch(() => undefined);
    if (part?.isFile()) await publishPart(path, next.tag);
  }
  for (const folder of new Set(names.map((name) => dirname(join(root, name))))) await syncFolder(folder);
  await removeFiles(
    root,
    found.names.filter((name) => !names.includes(name)),
  );
  await writeManifest(manifest, content, tag);
  return "completed";
};
