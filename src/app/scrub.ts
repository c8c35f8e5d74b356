import type { Archive } from "../core/archive.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { Host } from "./context.ts";
import { mediaFolder } from "./media/folder.ts";
import { removeDiscarded } from "./media/remove.ts";

/**
Removes deleted bytes of this run or an earlier one from the archive's file and from the folder of media. Resolves to
whether that worked, and logs an error if not.
*/
export const scrub = async (
  archive: Pick<Archive, "scrub" | "discardedMedia" | "forgetDiscarded">,
  place: string | false,
  { host, log }: { host: Pick<Host, "cwd">; log: Log },
): Promise<boolean> => {
  const filesAreGone = await removeFiles(archive, place, host, log);
  const why = await archive.scrub();
  if (why === undefined) return filesAreGone;
  log("error", "not-scrubbed", {
    message: `The calls are deleted, but their bytes are still in ${place} or ${place}-wal: ${why}. Close all programs that read the archive, check that the disk has space, and run the same command again. Any other command that writes to the archive tries again, too.`,
  });
  return false;
};

/** Deletes files that no conversation has any more. */
const removeFiles = async (
  archive: Pick<Archive, "discardedMedia" | "forgetDiscarded">,
  place: string | false,
  host: Pick<Host, "cwd">,
  log: Log,
): Promise<boolean> => {
  const folder = mediaFolder(place, host);
  try {
    await removeDiscarded(archive, folder);
    return true;
  } catch (error) {
    log("error", "not-scrubbed", {
      message: `Files of deleted conversations are still in ${folder.path}: ${messageOf(error)}. Run the same command again; any other command that writes to the archive tries again, too.`,
    });
    return false;
  }
};
