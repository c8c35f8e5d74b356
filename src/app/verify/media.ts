import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../core/errors.ts";
import type { Media } from "../../core/media-store.ts";
import type { Host } from "../context.ts";
import { mediaFolder } from "../media/folder.ts";
import { mediaIn } from "../media/run.ts";
import type { Finding } from "./finding.ts";

/**
Reads every stored file of the archive's conversations, and compares it with what was stored. Resolves to how many there
are. Files that the archive does not know are left alone: a receiver may be about to add them.
*/
export const verifyMedia = async (
  archive: Pick<Media, "listMedia">,
  place: string | false,
  host: Pick<Host, "cwd">,
  report: (finding: Finding) => void,
): Promise<number> => {
  const folder = mediaFolder(place, host);
  // Files with the same content are one.
  const checked = new Set<string>();
  let files = 0;
  for await (const { place: where, sha256, type } of mediaIn(archive, { states: ["stored"] })) {
    files += 1;
    if (sha256 === undefined || checked.has(sha256)) continue;
    checked.add(sha256);
    const path = folder.pathOf({ sha256, type });
    try {
      if ((await hashOf(path)) !== sha256)
        report({ where: path, what: `it has changed since it was stored (SHA-256); it is the file of ${where}` });
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
      report({ where: path, what: `${isGone ? "it is missing" : messageOf(error)}; it is the file of ${where}` });
    }
  }
  return files;
};

const hashOf = async (path: string): Promise<string> => {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), sum);
  return sum.digest("hex");
};
