import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Unfinished files of another machine's run are left alone for so long, in milliseconds. */
const FOREIGN_MS = 24 * 3_600_000;

/** The process that writes, and what tells leftovers of dead processes from files of living ones. */
export interface WritingProcess {
  host: string;
  pid: number;
  isAlive: (pid: number) => boolean;
  now: () => Date;
}

const named = (host: string): string => host.replace(/[^\w-]/g, "_");

/** A tag for a run's unfinished files: whose they are, and unique. */
export const tagOf = ({ host, pid }: Pick<WritingProcess, "host" | "pid">): string =>
  `${named(host)}.${pid}.${randomBytes(6).toString("hex")}`;

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
    const [, whole, host, pid] = TAGGED.exec(name) ?? [];
    if (whole === undefined || !isOurs(whole)) continue;
    const path = join(folder, name);
    const there = await lstat(path).catch(() => undefined);
    if (!there?.isFile()) continue;
    const ours = host === named(self.host);
    const age = self.now().getTime() - there.mtimeMs;
    // A process id says little where every container has its own: an own id of long ago is not this run.
    const dead = ours ? Number(pid) !== self.pid && !self.isAlive(Number(pid)) : false;
    if (dead || age > FOREIGN_MS) await rm(path, { force: true });
  }
};
