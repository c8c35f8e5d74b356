import type { Media } from "../../core/media-store.ts";
import type { MediaFolder } from "./folder.ts";

/** Deletes files that no conversation has any more. Each is forgotten after it is gone, so that an error repeats it. */
export const removeDiscarded = async (
  archive: Pick<Media, "discardedMedia" | "forgetDiscarded">,
  folder: Pick<MediaFolder, "remove" | "removePart">,
): Promise<void> => {
  for (const { sha256, type, unfinished } of await archive.discardedMedia()) {
    if (unfinished) await folder.removePart(sha256);
    else await folder.remove({ sha256, type });
    await archive.forgetDiscarded([sha256]);
  }
};
