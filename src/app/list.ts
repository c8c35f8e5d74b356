import type { StoredFilter, StoredRecord } from "../core/records.ts";
import { archiveOf } from "./archive.ts";
import type { Host } from "./context.ts";
import type { ArchiveRequest, SelectionRequest } from "./requests.ts";
import { storedFilter } from "./selection/selection.ts";

/** What the archive knows of the calls that a request means, ordered by start, in batches; without documents. */
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
