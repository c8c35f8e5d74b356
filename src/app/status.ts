import type { RunRecord, Summary } from "../core/archive.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import type { ArchiveRequest, SourcesRequest } from "./requests.ts";

/** The contents of an archive, its region and account, and the last runs. */
export interface Status extends Summary {
  binding: ArchiveBinding;
  runs: RunRecord[];
}

/** @throws NoArchive */
export const archiveStatus = async (
  request: ArchiveRequest & SourcesRequest,
  context: ArchiveContext,
): Promise<Status> => {
  const archive = await archiveOf(request, context, false);
  try {
    const summary = await archive.summary(request.sources);
    return { ...summary, runs: await archive.lastRuns(), binding: await bindingOf(archive) };
  } finally {
    await archive.close();
  }
};
