import { mkdirSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Where text can be written as it comes: it never becomes a file, and nothing is renamed over it. */
export type Special =
  /** An open descriptor of this process, as `/dev/stdout` and `/dev/fd/3` name it. */
  { kind: "descriptor"; fd: number } | { kind: "pipe" | "device" | "socket"; path: string };

/** What a path names. Folders and files are named without links: a rename would replace the link. */
export type Place = Special | { kind: "folder" | "file" | "nothing"; path: string };

/** As many links are followed as Linux follows. */
const MOST_LINKS = 40;

/** @param pid of this process: another's descriptors are not its own */
export const placeAt = (path: string, pid: number): Place => {
  // Asked first: such a link leads to a name in /proc that no file has.
  const fd = descriptorOf(path, pid);
  if (fd !== undefined) return { kind: "descriptor", fd };
  const there = statOf(path);
  if (there?.isFIFO()) return { kind: "pipe", path };
  if (there?.isSocket()) return { kind: "socket", path };
  if (there?.isCharacterDevice() || there?.isBlockDevice()) return { kind: "device", path };
  return { kind: there?.isDirectory() ? "folder" : there ? "file" : "nothing", path: withoutLinks(path) };
};

/** Through links to the file itself, also one that is not there yet. */
export const withoutLinks = (path: string, most = MOST_LINKS): string => {
  try {
    return realpathSync(path);
  } catch {
    try {
      return most === 0 ? path : withoutLinks(resolve(dirname(path), readlinkSync(path)), most - 1);
    } catch {
      // A folder above it may be a link all the same: the first run and those after it must name one place.
      const above = dirname(path);
      return above === path ? path : join(withoutLinks(above, most), basename(path));
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

const descriptorOf = (path: string, pid: number, most = MOST_LINKS): number | undefined => {
  const [, owner, fd] = /^\/(?:dev|proc\/(self|thread-self|\d+))\/fd\/(\d+)$/.exec(path) ?? [];
  const isOwn = owner === undefined || !/^\d/.test(owner) || Number(owner) === pid;
  const named = STANDARD[path] ?? (fd !== undefined && isOwn ? Number(fd) : undefined);
  if (named !== undefined) return statOf(`/dev/fd/${named}`) ? named : undefined;
  if (most === 0) return undefined;
  try {
    return descriptorOf(resolve(dirname(path), readlinkSync(path)), pid, most - 1);
  } catch {
    return undefined;
  }
};

export const isSpecial = (place: Place): place is Special =>
  place.kind !== "folder" && place.kind !== "file" && place.kind !== "nothing";
