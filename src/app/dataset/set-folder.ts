import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { presets } from "../../presets/index.ts";
import { CARD } from "../../reports/card.ts";
import { REPORT_HTML, REPORT_JSON } from "../../reports/report.ts";
import { namesInTheWay } from "../../sinks/earlier-output.ts";
import { clearLeftovers, type WritingProcess } from "../../sinks/leftovers.ts";
import { readManifest } from "../../sinks/manifest.ts";
import { isSpecial, placeAt } from "../../sinks/places.ts";
import type { Host } from "../context.ts";
import { PROBE } from "../writable.ts";

/** What lies in a data set's folder, and whose it is. */

export const MANIFEST = "manifest.json";
export const PROVENANCE = "provenance.ndjson";
export const DROPPED = "dropped.ndjson";

const DATA = /\.(jsonl|jsonl\.gz|parquet)$/;
const SPOOL = /^\.spool-[0-9a-f]{8}$/;

/** The files of every data set that lie in its folder itself. */
export const SET_SIDECARS: readonly string[] = [CARD, REPORT_HTML, REPORT_JSON, PROVENANCE, DROPPED];
const SIDECARS = new Set([...SET_SIDECARS, "dataset_info.json"]);

/** Whether a data set has files of this name, relative to its folder. */
const isSetName = (name: string): boolean => {
  const folder = dirname(name);
  const isAtHome = folder === "." || Object.hasOwn(presets, folder);
  return isAtHome && (DATA.test(name) || SIDECARS.has(basename(name)));
};

/** Undefined when a folder's manifest is not that of a data set, or there is none. */
export const filesOfSet = async (root: string): Promise<string[] | undefined> => {
  const manifest = await readManifest(join(root, MANIFEST)).catch(() => undefined);
  return manifest?.isDataset && manifest.entries ? manifest.names.filter(isSetName) : undefined;
};

/** Whether a folder holds nothing but empty folders, or is not there. */
export const isBare = async (root: string): Promise<boolean> => {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (!entry.isDirectory() || (await readdir(join(root, entry.name))).length > 0) return false;
  return true;
};

/** Removes what data sets that were killed left unfinished. */
export const clearSetLeftovers = async (root: string, self: WritingProcess): Promise<void> => {
  for (const folder of [".", ...Object.keys(presets)])
    await clearLeftovers(
      join(root, folder),
      self,
      (name) => isSetName(name) || (folder === "." && [MANIFEST, PROBE].includes(name)) || SPOOL.test(name),
    );
};

/** @throws UsageError when a file that is to appear would replace what no data set of ours wrote */
export const checkNoStranger = async (
  root: string,
  shown: string,
  names: Iterable<string>,
  ours: ReadonlySet<string>,
): Promise<void> => {
  const strange = (await namesInTheWay(root, names)).find((name) => !ours.has(name));
  if (strange !== undefined)
    throw new UsageError(
      `${shown} holds ${strange}, which no data set of callarchive wrote: move it, or name another folder with -o.`,
    );
};

/** @throws UsageError when `-o` names something that is no folder */
export const setFolder = (output: string, host: Host): string => {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(output))
    throw new UsageError(`-o ${output}: this version writes to no address. Write to a folder, and copy that.`);
  const place = placeAt(resolve(host.cwd, output), host.pid);
  if (output === "" || isSpecial(place) || place.kind === "file")
    throw new UsageError(`-o ${output}: a data set is a folder, and this is none.`);
  return place.path;
};
