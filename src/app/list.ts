import type { StoredConversation, StoredFilter } from "../core/records.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import type { ArchiveRequest, SelectionRequest } from "./requests.ts";
import { storedFilter } from "./selection/selection.ts";

/** The stored conversations of a request without their documents, ordered by start, in batches. */
export async function* listCalls(
  request: ArchiveRequest & SelectionRequest & Pick<StoredFilter, "states">,
  context: ArchiveContext,
): AsyncGenerator<StoredConversation[]> {
  const archive = await archiveOf(request, context, false);
  try {
    yield* archive.list({ ...storedFilter(request, context.host), ...(request.states && { states: request.states }) });
  } finally {
    await archive.close();
  }
}
