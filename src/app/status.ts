import type { RunRecord, Summary } from "../core/archive.ts";
import { archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import type { Host } from "./context.ts";
import type { ArchiveRequest } from "./requests.ts";

/** The contents of an archive, its region and account, and the last runs. */
export interface Status extends Summary {
  binding: ArchiveBinding;
  runs: RunRecord[];
}

/** @throws NoArchive */
export const archiveStatus = async (request: ArchiveRequest, host: Host): Promise<Status> => {
  const archive = await archiveOf(request, host, false);
  try {
    const summary = await archive.summary();
    return { ...summary, runs: await archive.lastRuns(), binding: await bindingOf(archive) };
  } finally {
    await archive.close();
  }
};
