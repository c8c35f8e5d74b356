import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";

/** A folder, with the files in it that are to be checked. */
export interface CheckPlace {
  /** The path as the user wrote it. */
  label: string;
  /** The folder of the files in `names`. */
  path: string;
  names: string[];
  isFolder: boolean;
}

const DATA = /\.(?:jsonl(?:\.gz)?|parquet)$/;
const TABLES = /\.(csv|xlsx?)$/i;

/** A file; or a folder and its direct subfolders that contain data. @throws UsageError when there is nothing to check */
export const placesOf = (arg: string, cwd: string): CheckPlace[] => {
  const path = resolve(cwd, arg);
  if (!existsSync(path)) throw new UsageError(`${arg} does not exist.`);
  if (!statSync(path).isDirectory()) {
    if (TABLES.test(path))
      throw new UsageError(`${arg}: check reads only JSON lines (.jsonl, .jsonl.gz) and Parquet (.parquet).`);
    return [{ label: arg, path: dirname(path), names: [basename(path)], isFolder: false }];
  }
  const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const places = [[arg, path] as const, ...inner.map(({ name }) => [join(arg, name), join(path, name)] as const)]
    .map(([label, folder]): CheckPlace => {
      const names = filesOf(folder).filter((name) => DATA.test(name));
      return { label, path: folder, names, isFolder: true };
    })
    .filter(({ names }) => names.length > 0);
  if (places.length === 0) throw new UsageError(`${arg} contains no .jsonl or .parquet files.`);
  return places;
};

export const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
