import { mkdirSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A place that is not a file or folder: text is written to it directly, without a part and a rename. */
export type Special =
  /** An open descriptor of this process, such as `/dev/stdout` or `/dev/fd/3`. */
  { kind: "descriptor"; fd: number } | { kind: "pipe" | "device" | "socket"; path: string };

/** What a path leads to. Links of folders and files are resolved, because a rename would replace the link. */
export type Place = Special | { kind: "folder" | "file" | "nothing"; path: string };

/** The most links that are followed, the same as in Linux. */
const MAX_LINKS = 40;

/** Finds out what a path leads to. @param pid of this process, to recognise its own descriptors */
export const placeAt = (path: string, pid: number): Place => {
  // First, because such a link leads to a name in /proc that does not exist as a file.
  const fd = descriptorOf(path, pid);
  if (fd !== undefined) return { kind: "descriptor", fd };
  const stats = statOf(path);
  if (stats?.isFIFO()) return { kind: "pipe", path };
  if (stats?.isSocket()) return { kind: "socket", path };
  if (stats?.isCharacterDevice() || stats?.isBlockDevice()) return { kind: "device", path };
  return { kind: stats?.isDirectory() ? "folder" : stats ? "file" : "nothing", path: withoutLinks(path) };
};

/** Resolves all links of a path, also when the file does not exist. */
export const withoutLinks = (path: string, linksLeft = MAX_LINKS): string => {
  try {
    return realpathSync(path);
  } catch {
    try {
      return linksLeft === 0 ? path : withoutLinks(resolve(dirname(path), readlinkSync(path)), linksLeft - 1);
    } catch {
      // A folder above may still be a link. The place must be the same before and after the file exists.
      const parent = dirname(path);
      return parent === path ? path : join(withoutLinks(parent, linksLeft), basename(path));
    }
  }
};

/**
Creates a folder and its missing parents.

One by one, because Node's recursive mkdir never returns below `/proc`.
*/
export const makeFolder = (path: string): void => {
  if (statOf(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another run may have created it.
    if (!statOf(path)?.isDirectory()) throw error;
  }
};

/** Undefined when the path does not exist or cannot be read. */
const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

const STANDARD: Record<string, number> = { "/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2 };

/** The descriptor of this process that a path leads to; undefined when it leads to none. */
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
