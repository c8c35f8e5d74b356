import { mkdirSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Where text can be written as it comes: it never becomes a file, and nothing is renamed over it. */
export type Special =
  /** An open descriptor of this process, as `/dev/stdout` and `/dev/fd/3` name it. */
  { kind: "descriptor"; fd: number } | { kind: "pipe" | "device" | "socket"; path: string };

/** What a path names. Folders and files are named without links: a rename would replace the link. */
export type Place = Special | { kind: "folder" | "file" | "nothing"; path: string };

/** As many links are followed as Linux follows. */
const MAX_LINKS = 40;

/** @param pid of this process: another's descriptors are not its own */
export const placeAt = (path: string, pid: number): Place => {
  // Asked first: such a link leads to a name in /proc that no file has.
  const fd = descriptorOf(path, pid);
  if (fd !== undefined) return { kind: "descriptor", fd };
  const stats = statOf(path);
  if (stats?.isFIFO()) return { kind: "pipe", path };
  if (stats?.isSocket()) return { kind: "socket", path };
  if (stats?.isCharacterDevice() || stats?.isBlockDevice()) return { kind: "device", path };
  return { kind: stats?.isDirectory() ? "folder" : stats ? "file" : "nothing", path: withoutLinks(path) };
};

/** Through links to the file itself, also one that is not there yet. */
export const withoutLinks = (path: string, linksLeft = MAX_LINKS): string => {
  try {
    return realpathSync(path);
  } catch {
    try {
      return linksLeft === 0 ? path : withoutLinks(resolve(dirname(path), readlinkSync(path)), linksLeft - 1);
    } catch {
      // A folder above it may be a link all the same: the first run and those after it must name one place.
      const parent = dirname(path);
      return parent === path ? path : join(withoutLinks(parent, linksLeft), basename(path));
    }
  }
};

/**
Makes a folder, and those above it that are missing.

One at a time: below `/proc` Node's recursive mkdir never returns.
*/
export const makeFolder = (path: string): void => {
  if (statOf(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another run may have made it meanwhile.
    if (!statOf(path)?.isDirectory()) throw error;
  }
};

/** Undefined for what is not there, and for what cannot be reached. */
const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

const STANDARD: Record<string, number> = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };

const descriptorOf = (path: string, pid: number, linksLeft = MAX_LINKS): number | undefined => {
  const [, owner, fd] = /^\/(?:dev|proc\/(self|thread-self|\d+))\/fd\/(\d+)$/.exec(path) ?? [];
  const isOwn = owner === undefined || !/^\d/.test(owner) || Number(owner) === pid;
  const descriptor = STANDARD[path] ?? (fd !== undefined && isOwn ? Number(fd) : undefined);
  if (descriptor !== undefined) return statOf(`/dev/fd/${descriptor}`) ? descriptor : undefined;
  if (linksLeft === 0) return undefined;
  try {
    return descriptorOf(resolve(dirname(path), readlinkSync(path)), pid, linksLeft - 1);
  } catch {
    return undefined;
  }
};

export const isSpecial = (place: Place): place is Special =>
  place.kind !== "folder" && place.kind !== "file" && place.kind !== "nothing";
