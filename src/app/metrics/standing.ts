import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Archive } from "../../core/archive.ts";
import type { Health } from "../../core/health.ts";
import type { Host } from "../context.ts";
import type { ArchiveRequest } from "../requests.ts";

/** How an archive stands at the end of a run. */
export interface Standing extends Health {
  /** Of its documents, and of these as they are stored. */
  rawBytes: number;
  storedBytes: number;
  /** On disk, what is not yet written back included; absent where it is no file. */
  fileBytes?: number;
}

/** Undefined where there is no archive, or it cannot be read: figures of the run are worth writing without it. */
export const standingOf = async (
  archive: Archive,
  { archive: place }: ArchiveRequest,
  { cwd }: Host,
  command: string,
): Promise<Standing | undefined> => {
  if (place === false) return undefined;
  try {
    const { rawBytes, storedBytes } = await archive.summary();
    const fileBytes = sizeOf(resolve(cwd, place));
    return { ...(await archive.health(command)), rawBytes, storedBytes, ...(fileBytes !== undefined && { fileBytes }) };
  } catch {
    return undefined;
  }
};

const sizeOf = (path: string): number | undefined => {
  const of = (name: string): number | undefined => statSync(name, { throwIfNoEntry: false })?.size;
  const main = of(path);
  return main === undefined ? undefined : main + (of(`${path}-wal`) ?? 0);
};
