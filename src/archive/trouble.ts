import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { ArchiveDamaged } from "../core/archive.ts";
import { messageOf } from "../core/errors.ts";

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? "");

/** SQLite's primary result codes. The higher bits only refine them, and libsql names few of them. */
const SQLITE = { perm: 3, busy: 5, locked: 6, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14 } as const;

const primaryOf = (error: unknown): number => {
  const raw = (error as { rawCode?: unknown } | undefined)?.rawCode;
  return typeof raw === "number" ? raw & 0xff : 0;
};

/** Whether another process has been writing for longer than this one waits. */
export const isBusy = (error: unknown): boolean => {
  const sqlite = primaryOf(error);
  return sqlite === SQLITE.busy || sqlite === SQLITE.locked;
};

const WHY: Record<string, string> = {
  EACCES: "this user may not write to it",
  EPERM: "this user may not write to it",
  EROFS: "its file system is read-only",
};

/** Undefined when there is nothing at the path, or a part of the path is a file. */
const isFolder = (path: string): boolean | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
};

/** Why an archive cannot be written at this path, by its file and folder; undefined when it can. */
export const whyNotWritable = (path: string): string | undefined => {
  try {
    const file = isFolder(path) === undefined ? undefined : path;
    // The nearest existing folder: missing folders are created in it.
    let folder = dirname(path);
    while (isFolder(folder) === undefined && dirname(folder) !== folder) folder = dirname(folder);
    if (!isFolder(folder)) return `${folder} is a file, where a folder is needed`;
    const log = file ? ": SQLite keeps its log there, also for reading" : "";
    for (const place of file ? [file, folder] : [folder]) {
      const why = accessProblem(place);
      if (why)
        return `${place === file ? "the file" : `the folder ${folder}`} cannot be written (${why})${place === folder ? log : ""}`;
    }
  } catch (error) {
    return messageOf(error);
  }
  return undefined;
};

const accessProblem = (place: string): string | undefined => {
  try {
    accessSync(place, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return WHY[codeOf(error)] ?? messageOf(error);
  }
};

/** Explains an error of SQLite or the system: what happened and what to do. Returns any other error unchanged. */
export const explainError = (error: unknown, path: string): unknown => {
  const code = codeOf(error);
  const sqlite = primaryOf(error);
  const message = messageOf(error);
  const because = (message: string): Error => new Error(message, { cause: error });
  if (error instanceof ArchiveDamaged) return error;
  if (sqlite === SQLITE.corrupt) return new ArchiveDamaged(path, message, { cause: error });
  // SQLite reports a failure to enlarge the index of its log (-shm) as an error of the disk; the disk is full then.
  if (sqlite === SQLITE.full || /^(ENOSPC|EDQUOT|SQLITE_IOERR_SHMSIZE)$/.test(code))
    return because(
      `No space is left for the archive ${path}, for its log beside it, or for SQLite's temporary files (${message}). What was committed before is safe: make room, and run the same command again.`,
    );
  if (isBusy(error))
    return because(
      `The archive ${path} is locked: another process has been writing to it for longer than 30 s. Run the same command again when that is done.`,
    );
  if (sqlite === SQLITE.ioerr)
    return because(
      `The disk failed to read or write the archive ${path} (${message}). Check the disk, then run "callarchive verify".`,
    );
  const isRefused = sqlite === SQLITE.perm || sqlite === SQLITE.readonly || sqlite === SQLITE.cantopen;
  const isSystem = /^E(ACCES|PERM|ROFS|NOTDIR|EXIST|NOENT|ISDIR)$/.test(code);
  if (isRefused || isSystem || /^ConnectionFailed/.test(message))
    return because(`The archive ${path} cannot be opened: ${whyNotWritable(path) ?? message}.`);
  return error;
};

type Calls = Record<string, (...values: never[]) => unknown>;

/** The same object with errors of its methods and iterators explained. */
export const explainErrors = <T extends object>(archive: T, path: string): T =>
  Object.fromEntries(
    Object.entries(archive as Calls).map(([name, call]) => [
      name,
      (...values: never[]) => {
        const result = call(...values) as Promise<unknown> | AsyncIterable<unknown>;
        if (Symbol.asyncIterator in result) return explainIteration(result, path);
        return result.catch((error: unknown) => {
          throw explainError(error, path);
        });
      },
    ]),
  ) as T;

async function* explainIteration(values: AsyncIterable<unknown>, path: string): AsyncGenerator<unknown> {
  try {
    yield* values;
  } catch (error) {
    throw explainError(error, path);
  }
}
