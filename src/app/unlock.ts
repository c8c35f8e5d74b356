import type { Holder } from "../core/lock.ts";
import { archiveOf } from "./archive.ts";
import type { Host } from "./context.ts";
import type { ArchiveRequest } from "./requests.ts";

/** A holder as people name it: `4711@worker-2`. */
export const holderName = ({ pid, host }: Holder): string => `${pid}@${host}`;

/**
Takes the archive from a run that is gone, if that run is named.

@param name `PID@HOST` of the holder; undefined only looks
@returns who holds or held the archive, if anybody, and whether the lock was removed
*/
export const unlockArchive = async (
  request: ArchiveRequest,
  name: string | undefined,
  host: Host,
): Promise<{ holder: Holder | undefined; removed: boolean }> => {
  const archive = await archiveOf(request, host, false);
  try {
    const holder = await archive.holder();
    const isNamed = holder !== undefined && name === holderName(holder);
    return { holder, removed: isNamed && (await archive.unlock(holder)) };
  } finally {
    await archive.close();
  }
};
