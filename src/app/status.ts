import type { RunRecord, Summary } from "../core/archive.ts";
import type { StoredFilter, StoredRecord } from "../core/records.ts";
import { archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import type { Host } from "./context.ts";
import type { ArchiveRequest, SelectionRequest } from "./requests.ts";
import { storedFilter } from "./selection/selection.ts";

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

/** The stored calls of a request without their documents, ordered by start, in batches. */
export async function* listCalls(
  request: ArchiveRequest & SelectionRequest & Pick<StoredFilter, "states">,
  host: Host,
): AsyncGenerator<StoredRecord[]> {
  const archive = await archiveOf(request, host, false);
  try {
    yield* archive.list({ ...storedFilter(request, host), ...(request.states && { states: request.states }) });
  } finally {
    await archive.close();
  }
}
