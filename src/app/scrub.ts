import type { Archive } from "../core/archive.ts";
import type { Log } from "../core/ports.ts";

/**
Scrubs the archive after a deletion of this run or an earlier one. Resolves to whether it is clean; logs what is left where
it could not be scrubbed.
*/
export const scrub = async (archive: Archive, place: string | false, log: Log): Promise<boolean> => {
  const why = await archive.scrub();
  if (why === undefined) return true;
  log("error", "not-scrubbed", {
    message: `The calls are deleted, but their bytes are still in ${place} or ${place}-wal: ${why}. End what reads the archive, see that there is space, and run the same command again; any command that writes to the archive tries again, too.`,
  });
  return false;
};
