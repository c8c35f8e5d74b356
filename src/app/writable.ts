import { accessSync, constants, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { messageOf, UsageError } from "../core/errors.ts";
import { partPath } from "../sinks/atomic-file.ts";
import { tagOf } from "../sinks/leftovers.ts";
import { isSpecial, makeFolder, placeAt, type Special } from "../sinks/places.ts";
import type { Host } from "./context.ts";

/** The beginning of the name of the file that tests whether a folder is writable. */
export const PROBE = ".callarchive";

/**
Checks before the work that a file can be written which is written at its end.

@param flag the flag that names the file
@throws UsageError for a folder, Error if the file cannot be written
*/
export const checkFileWritable = (path: string | undefined, flag: string, host: Host): void => {
  if (path === undefined) return;
  const place = placeAt(resolve(host.cwd, path), host.pid);
  if (isSpecial(place)) checkSpecial(place);
  else if (place.kind === "folder" || /[/\\]$/.test(path))
    throw new UsageError(`${flag} ${path} names a folder: it takes a file.`);
  else checkFolder(dirname(place.path), host);
};

/** Creates the folder if needed, and checks that it is writable. @throws Error if it is not */
export const checkFolder = (folder: string, host: Host): void => {
  const probe = partPath(join(folder, PROBE), tagOf(host));
  try {
    makeFolder(folder);
    writeFileSync(probe, "", { mode: 0o600, flag: "wx" });
    rmSync(probe);
  } catch (error) {
    throw new Error(`Cannot write to ${folder}: ${messageOf(error)}`);
  }
};

/** @throws Error if it cannot be written */
export const checkSpecial = (place: Special): void => {
  if (place.kind === "descriptor") return;
  try {
    accessSync(place.path, constants.W_OK);
  } catch (error) {
    throw new Error(`Cannot write to ${place.path}: ${messageOf(error)}`);
  }
};
