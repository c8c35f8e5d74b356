import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import type { Talk } from "../cli/terminal/logger.ts";
import type { Archive } from "../core/archive.ts";

/** Scrubs the archive, after a deletion of this run or an earlier one; says what is left where that cannot be done. */
export const scrub = async (archive: Archive, place: string | false, talk: Talk): Promise<ExitCode> => {
  const why = await archive.scrub();
  if (why === undefined) return EXIT.complete;
  talk.log("error", "not-scrubbed", {
    message: `The calls are deleted, but their bytes are still in ${place} or ${place}-wal: ${why}. End what reads the archive, see that there is space, and run the same command again; any command that writes to the archive tries again, too.`,
  });
  return EXIT.failure;
};
