import type { Holder } from "../core/lock.ts";
import { archiveLockOf } from "./archive.ts";
import type { Host } from "./context.ts";

/** A holder's name for people: `4711@worker-2`. */
export const holderName = ({ pid, host }: Holder): string => `${pid}@${host}`;

/**
Removes the lock of a run that died, if `name` is its holder. The archive may be of an older version.

@param name `PID@HOST` of the holder; undefined only looks
@returns the holder, if there is one, and whether its lock was removed
*/
export const unlockArchive = async (
  place: string,
  name: string | undefined,
  host: Host,
): Promise<{ holder: Holder | undefined; removed: boolean }> => {
  const archive = await archiveLockOf(place, host);
  try {
    const holder = await archive.holder();
    const isNamed = holder !== undefined && name === holderName(holder);
    return { holder, removed: isNamed && (await archive.unlock(holder)) };
  } finally {
    await archive.close();
  }
};
