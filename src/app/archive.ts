import { resolve } from "node:path";
import { openArchive } from "../archive/index.ts";
import { whyNotWritable } from "../archive/trouble.ts";
import type { Archive } from "../core/archive.ts";
import type { Host } from "./context.ts";
import type { ArchiveRequest } from "./requests.ts";

// The composition root, with `wire-cloud.ts`, `outputs.ts` and `rendering/plan.ts`: the only places where adapters are
// made. Apart, because most commands need no cloud, and loading what speaks to it takes longer than all else.

/** The archive that the request name. @param create make it when there is none */
export const archiveOf = ({ archive }: ArchiveRequest, host: Host, create: boolean): Promise<Archive> =>
  openArchive({
    place: archive === false ? undefined : /^\w+:/.test(archive) ? archive : resolve(host.cwd, archive),
    create,
    now: host.now,
  });

/** Why the archive that the request name could not be written; the file need not be there. */
export const archiveRefusal = ({ archive }: ArchiveRequest, host: Host): string | undefined =>
  archive === false ? undefined : whyNotWritable(resolve(host.cwd, archive));
