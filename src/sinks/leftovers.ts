import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Unfinished files of another machine's run are left alone for so long, in milliseconds. */
const OTHER_HOST_MS = 24 * 3_600_000;

/** The process that writes, and what tells leftovers of dead processes from files of living ones. */
export interface WritingProcess {
  host: string;
  pid: number;
  isAlive: (pid: number) => boolean;
  now: () => Date;
}

const safeHost = (host: string): string => host.replace(/[^\w-]/g, "_");

/** A tag for a run's unfinished files: whose they are, and unique. */
export const tagOf = ({ host, pid }: Pick<WritingProcess, "host" | "pid">): string =>
  `${safeHost(host)}.${pid}.${randomBytes(6).toString("hex")}`;

const TAGGED = /^(.+)\.([\w-]+)\.(\d+)\.[0-9a-f]{12}\.part$/;

/**
Removes what runs that were killed left behind in a folder: unfinished files whose run is no more.

@param isOurs whether a file of this name is one that this output writes: others may end in `.part` too
*/
export const clearLeftovers = async (
  folder: string,
  self: WritingProcess,
  isOurs: (name: string) => boolean,
): Promise<void> => {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, fileName, host, pid] = TAGGED.exec(name) ?? [];
    if (fileName === undefined || !isOurs(fileName)) continue;
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isFile()) continue;
    const isThisHost = host === safeHost(self.host);
    const age = self.now().getTime() - stats.mtimeMs;
    // A process id says little where every container has its own: an own id of long ago is not this run.
    const isDead = isThisHost ? Number(pid) !== self.pid && !self.isAlive(Number(pid)) : false;
    if (isDead || age > OTHER_HOST_MS) await rm(path, { force: true });
  }
};
