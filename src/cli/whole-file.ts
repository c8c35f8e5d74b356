import { dirname } from "node:path";
import { tagOf } from "../sinks/leftovers.ts";
import { PartFile, syncFolder } from "../sinks/part-file.ts";
import type { Io } from "./io.ts";

/** Fills a file that appears under its name only when it is whole. */
export const fillWhole = async (
  path: string,
  io: Io,
  fill: (file: PartFile) => Promise<void>,
  mode = 0o600,
): Promise<void> => {
  const file = await PartFile.open(path, tagOf(io), mode);
  try {
    await fill(file);
    await file.seal();
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await syncFolder(dirname(path));
};

export const writeWhole = (path: string, io: Io, text: string, mode?: number): Promise<void> =>
  fillWhole(path, io, async (file) => file.add(text), mode);
