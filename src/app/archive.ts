import { resolve } from "node:path";
import { openArchive } from "../archive/index.ts";
import { whyNotWritable } from "../archive/trouble.ts";
import type { Archive } from "../core/archive.ts";
import type { Host } from "./context.ts";
import { digestOf } from "./reading.ts";
import type { ArchiveRequest } from "./requests.ts";

// The archive is created here and the cloud in `cloud.ts`, because most commands need no cloud, and loading its packages
// takes longer than everything else.

/** Opens the archive of a request. @param create create it if it does not exist */
export const archiveOf = ({ archive }: ArchiveRequest, host: Host, create: boolean): Promise<Archive> =>
  openArchive({
    place: archive === false ? undefined : /^\w+:/.test(archive) ? archive : resolve(host.cwd, archive),
    create,
    now: host.now,
    digestOf,
  });

/** Why the archive of a request cannot be written; undefined if it can. The file need not exist. */
export const archiveRefusal = ({ archive }: ArchiveRequest, host: Host): string | undefined =>
  archive === false ? undefined : whyNotWritable(resolve(host.cwd, archive));
