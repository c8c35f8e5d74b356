import type { Retention } from "../core/archive.ts";
import type { Log } from "../core/ports.ts";

/**
Removes deleted bytes of this run or an earlier one from the archive's file. Resolves to whether that worked, and logs an
error if not.
*/
export const scrub = async (archive: Retention, place: string | false, log: Log): Promise<boolean> => {
  const why = await archive.scrub();
  if (why === undefined) return true;
  log("error", "not-scrubbed", {
    message: `The calls are deleted, but their bytes are still in ${place} or ${place}-wal: ${why}. Close all programs that read the archive, check that the disk has space, and run the same command again. Any other command that writes to the archive tries again, too.`,
  });
  return false;
};
