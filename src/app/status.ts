import type { RunRecord, SourceSummary, Summary } from "../core/archive.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import { inboxOf } from "./receive/inbox.ts";
import type { ArchiveRequest, SourcesRequest } from "./requests.ts";

/** The contents of an archive, its region and account, and the last runs. */
export interface Status extends Summary {
  sources: (SourceSummary & ArchiveBinding)[];
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
    const sources: Status["sources"] = [];
    for (const each of summary.sources) sources.push({ ...each, ...(await bindingOf(archive, each.source)) });
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
