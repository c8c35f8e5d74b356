import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Unfinished files of another machine are kept this long, in milliseconds. */
const OTHER_HOST_MS = 24 * 3_600_000;

/** The writing process, and how to find out whether another process still runs. */
export interface WritingProcess {
  host: string;
  pid: number;
  isAlive: (pid: number) => boolean;
  now: () => Date;
}

const safeHost = (host: string): string => host.replace(/[^\w-]/g, "_");

/** A unique tag for a run's unfinished files, with host and process id. */
export const tagOf = ({ host, pid }: Pick<WritingProcess, "host" | "pid">): string =>
  `${safeHost(host)}.${pid}.${randomBytes(6).toString("hex")}`;

/** Whether the process that wrote files with this tag has ended, as far as that can be known. @param age of a file, in milliseconds */
export const hasEnded = (tag: string, age: number, self: WritingProcess): boolean => {
  const [, host, pid] = TAG.exec(tag) ?? [];
  if (age > OTHER_HOST_MS) return true;
  // In containers process ids repeat: our own is that of an earlier process.
  return host === safeHost(self.host) && (Number(pid) === self.pid || !self.isAlive(Number(pid)));
};

export const TAG = /^([\w-]+)\.(\d+)\.[0-9a-f]{12}$/;
const TAGGED = /^(.+)\.([\w-]+)\.(\d+)\.[0-9a-f]{12}\.part$/;

/**
Deletes unfinished files of killed runs in a folder.

@param isOurs whether this output writes a file with this name; files of others may end in `.part` too
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
    // In containers process ids repeat: an old file with our own process id is not from this run.
    const isDead = isThisHost ? Number(pid) !== self.pid && !self.isAlive(Number(pid)) : false;
    if (isDead || age > OTHER_HOST_MS) await rm(path, { force: true });
  }
};
