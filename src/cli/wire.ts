import { resolve } from "node:path";
import { openArchive } from "../archive/index.ts";
import { whyNotWritable } from "../archive/trouble.ts";
import type { Archive } from "../core/archive.ts";
import type { Io } from "./io.ts";
import type { ArchiveFlags } from "./options.ts";

// The composition root, with `wire-cloud.ts`, `outputs.ts` and `rendering/plan.ts`: the only places where adapters are
// made. Apart, because most commands need no cloud, and loading what speaks to it takes longer than all else.

/** The archive that the flags name. @param create make it when there is none */
export const archiveOf = ({ archive }: ArchiveFlags, io: Io, create: boolean): Promise<Archive> =>
  openArchive({
    place: archive === false ? undefined : /^\w+:/.test(archive) ? archive : resolve(io.cwd, archive),
    create,
    now: io.now,
  });

/** Why the archive that the flags name could not be written; the file need not be there. */
export const archiveRefusal = ({ archive }: ArchiveFlags, io: Io): string | undefined =>
  archive === false ? undefined : whyNotWritable(resolve(io.cwd, archive));
