import { resolve } from "node:path";
import { UsageError } from "../../../core/errors.ts";
import type { SourceName } from "../../../core/transcript.ts";
import { FileSet } from "../../../sinks/file-set.ts";
import { tagOf } from "../../../sinks/leftovers.ts";
import { idsOf, type SelectionContext } from "../../selection/selection.ts";
import { MANIFEST } from "../set-folder.ts";
import { findInSet, type SetRow } from "./find.ts";
import { rewriteSet } from "./rewrite.ts";
import { openSet } from "./set.ts";

export interface SetForgetRequest {
  ids: readonly string[];
  /** A file of further ids; `-` is standard input. */
  idsFile?: string;
  /** The data set's folder. */
  folder: string;
  sources?: readonly SourceName[];
  dryRun?: boolean;
}

/** What was removed from a data set. `partial`: it does not name some of the ids. */
export interface SetForgetResult {
  outcome: "complete" | "partial";
  forgotten: number;
  rows: number;
  /** Ids that neither its rows nor its list of dropped calls name. */
  unknown: readonly string[];
}

/**
Writes a data set again without some conversations: its rows, and all that its other files tell of them. Other rows keep
their bytes and their order. A kill leaves the old set or the new one, or one that the next run completes.

@param onRow called for each row that goes
@throws UsageError for a folder that is no data set, is not complete, or was changed by hand
*/
export const runSetForget = async (
  { ids: named, idsFile, folder, sources, dryRun = false }: SetForgetRequest,
  { host, log }: SelectionContext,
  onRow: (row: SetRow) => void,
): Promise<SetForgetResult> => {
  const ids: string[] = [];
  const unreadable = (message: string): never => {
    throw new UsageError(message);
  };
  for await (const id of idsOf({ ids: named, ...(idsFile !== undefined && { idsFile }) }, host)(unreadable))
    ids.push(id);
  if (ids.length === 0) throw new UsageError("Name at least one id, and the folder last: dataset forget ID FOLDER.");
  const set = await openSet(resolve(host.cwd, folder), folder, host);
  const found = await findInSet(set.root, ids, sources);
  const unknown = [...new Set(ids)].filter((id) => !found.conversations.has(id));
  for (const id of unknown) log("warn", "missing", { id, message: `${folder} does not name it.` });
  for (const { conversation, file, row } of found.rows) onRow({ conversation, file, row });
  const conversations = new Set([...found.conversations.values()].flatMap((each) => [...each]));
  if (conversations.size > 0 && !dryRun) {
    const files = new FileSet({ root: set.root, manifest: MANIFEST, tag: tagOf(host) });
    try {
      await rewriteSet(set, conversations, found.rows, files);
    } catch (error) {
      await files.discard();
      throw error;
    }
  }
  const outcome = unknown.length > 0 ? "partial" : "complete";
  return { outcome, forgotten: conversations.size, rows: found.rows.length, unknown };
};
