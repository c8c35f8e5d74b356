import { join } from "node:path";
import { messageOf, UsageError } from "../../../core/errors.ts";
import { isObject, type JsonObject } from "../../../core/transcript.ts";
import { REPORT_JSON } from "../../../reports/report.ts";
import type { FileFacts } from "../../../sinks/atomic-file.ts";
import { completePublishing } from "../../../sinks/complete.ts";
import { tagOf } from "../../../sinks/leftovers.ts";
import { isFileFacts, type Manifest, readManifest } from "../../../sinks/manifest.ts";
import type { Host } from "../../context.ts";
import { verifyFiles } from "../../verify/verify-output.ts";
import { clearSetLeftovers, DROPPED, MANIFEST, PROVENANCE } from "../set-folder.ts";

/** A complete data set on disk, unchanged since it was made. */
export interface StoredSet {
  root: string;
  manifest: Manifest;
  files: FileFacts[];
}

/** How many changed files an error names. */
const NAMED = 3;

/**
Opens a data set to change it; first completes a `dataset forget` that was killed.

@throws UsageError for a folder that is no data set, is not complete, or was changed by hand
*/
export const openSet = async (root: string, shown: string, host: Host): Promise<StoredSet> => {
  if ((await completePublishing(join(root, MANIFEST), tagOf(host), host)) === "running")
    throw new UsageError(`${shown}: another process is changing this data set.`);
  const manifest = await readManifest(join(root, MANIFEST)).catch((error: unknown) => {
    throw new UsageError(`${shown}/${MANIFEST} cannot be read: ${messageOf(error)}.`);
  });
  if (!manifest?.isDataset) throw new UsageError(`${shown} is not a data set of callarchive.`);
  if (manifest.incomplete)
    throw new UsageError(
      `${shown} is not complete, because the run that wrote it was stopped: make the data set again.`,
    );
  const faults: string[] = [];
  await verifyFiles(manifest, root, shown, true, ({ where, what }) => faults.push(`${where} ${what}`));
  if (faults.length > 0)
    throw new UsageError(
      `${shown} was changed after it was made, and its rows can no longer be told: ${faults.slice(0, NAMED).join("; ")}. Make the data set again.`,
    );
  const files = (manifest.entries ?? []).filter(isFileFacts);
  const missing = [PROVENANCE, DROPPED, REPORT_JSON].find((name) => !files.some((file) => file.name === name));
  if (missing !== undefined) throw new UsageError(`${shown} has no ${missing}: make the data set again.`);
  await clearSetLeftovers(root, host);
  return { root, manifest, files };
};

/** Whether the set is still what it was when it was opened. */
export const isUnchanged = async ({ root, manifest }: StoredSet): Promise<boolean> => {
  const now = await readManifest(join(root, MANIFEST)).catch(() => undefined);
  return now !== undefined && JSON.stringify(now.json) === JSON.stringify(manifest.json);
};

/** An object of the manifest or the report; empty if it is none. */
export const objectIn = (json: JsonObject, key: string): JsonObject => {
  const value = json[key];
  return isObject(value) ? value : {};
};
