import type { RunRecord, SourceSummary, Summary } from "../core/archive.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import { inboxOf } from "./receive/inbox.ts";
import type { ArchiveRequest, SourcesRequest } from "./requests.ts";

/** The contents of an archive, its region and account, and the last runs. */
export interface Status extends Summary {
  /** `cursor`: all that the service listed before this time is in the archive; of calls, each agent has its own. */
  sources: (SourceSummary & ArchiveBinding & { cursor?: string })[];
  binding: ArchiveBinding;
  /** Records in the inbox: the next run that writes takes them into the archive. Absent if there is no inbox. */
  inbox?: { records: number; oldest?: string };
  runs: RunRecord[];
}

/** @throws NoArchive */
export const archiveStatus = async (
  request: ArchiveRequest & SourcesRequest,
  context: ArchiveContext,
): Promise<Status> => {
  const inbox = await inboxStanding(request, context);
  const archive = await archiveOf(request, context, false);
  try {
    const summary = await archive.summary(request.sources);
    const { cursors } = await archive.health("status");
    const sources: Status["sources"] = [];
    for (const each of summary.sources) {
      // The cursors of a source begin with its name: one for each bus, say.
      const own = cursors.filter(({ agentId }) => `${agentId}:`.startsWith(`${each.source}:`));
      const [cursor] = own.map(({ settledUntil }) => settledUntil).toSorted();
      const binding = await bindingOf(archive, each.source);
      sources.push({ ...each, ...binding, ...(cursor !== undefined && { cursor }) });
    }
    return { ...summary, sources, runs: await archive.lastRuns(), binding: await bindingOf(archive), ...inbox };
  } finally {
    await archive.close();
  }
};

const inboxStanding = async ({ archive }: ArchiveRequest, { host }: ArchiveContext): Promise<Pick<Status, "inbox">> => {
  const inbox = await inboxOf(archive, host);
  if (!inbox) return {};
  try {
    const { records, oldest } = await inbox.standing();
    return { inbox: { records, ...(oldest && { oldest: oldest.toISOString() }) } };
  } finally {
    await inbox.close();
  }
};
