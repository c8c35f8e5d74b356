import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Runs } from "../../core/archive.ts";
import type { AtRisk, Health } from "../../core/health.ts";
import type { Host } from "../context.ts";
import type { ArchiveRequest } from "../requests.ts";

/** The state of an archive at the end of a run, for its metrics. */
export interface Standing extends Health {
  atRisk: AtRisk[];
  /** Size of its documents before compression, and as they are stored. */
  rawBytes: number;
  storedBytes: number;
  /** Size on disk, the write-ahead log included; absent if the archive is not a file. */
  fileBytes?: number;
}

/** Undefined if there is no archive or it cannot be read: the other metrics are still written. */
export const standingOf = async (
  archive: Runs,
  { archive: place }: ArchiveRequest,
  { cwd }: Host,
  command: string,
): Promise<Standing | undefined> => {
  if (place === false) return undefined;
  try {
    const { rawBytes, storedBytes } = await archive.summary();
    const fileBytes = sizeOf(resolve(cwd, place));
    const atRisk = await archive.atRisk();
    return {
      ...(await archive.health(command)),
      atRisk,
      rawBytes,
      storedBytes,
      ...(fileBytes !== undefined && { fileBytes }),
    };
  } catch {
    return undefined;
  }
};

const sizeOf = (path: string): number | undefined => {
  const of = (name: string): number | undefined => statSync(name, { throwIfNoEntry: false })?.size;
  const main = of(path);
  return main === undefined ? undefined : main + (of(`${path}-wal`) ?? 0);
};
