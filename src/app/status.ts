import type { RunRecord, SourceSummary, Summary } from "../core/archive.ts";
import type { AtRisk } from "../core/health.ts";
import type { MediaState } from "../core/media.ts";
import type { Media } from "../core/media-store.ts";
import { type ArchiveContext, archiveOf } from "./archive.ts";
import { type ArchiveBinding, bindingOf } from "./binding.ts";
import { inboxOf } from "./receive/inbox.ts";
import type { ArchiveRequest, SourcesRequest } from "./requests.ts";

/** The contents of an archive, its region and account, and the last runs. */
export interface Status extends Summary {
  sources: (SourceSummary & ArchiveBinding)[];
  binding: ArchiveBinding;
  /** What the cloud may delete before the archive has it, and what waits in the inbox: with the age of the oldest. */
  atRisk: (Omit<AtRisk, "oldest"> & { oldest?: string; ageSeconds?: number })[];
  /** The files beside the archive; absent if there are none. */
  media?: { files: number; bytes: number; missing: number; failed: number };
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
    const atRisk = (await archive.atRisk()).map(({ oldest, ...each }): Status["atRisk"][number] => ({
      ...each,
      ...ageOf(oldest, context.host.now()),
    }));
    if (inbox.inbox && inbox.inbox.records > 0) {
      const { records, oldest } = inbox.inbox;
      const since = oldest === undefined ? undefined : new Date(oldest);
      atRisk.push({ what: "inbox", count: records, ...ageOf(since, context.host.now()) });
    }
    const media = mediaCounts(await archive.mediaSummary());
    return {
      ...summary,
      sources,
      runs: await archive.lastRuns(),
      binding: await bindingOf(archive),
      atRisk,
      ...media,
      ...inbox,
    };
  } finally {
    await archive.close();
  }
};

const ageOf = (oldest: Date | undefined, now: Date): { oldest?: string; ageSeconds?: number } =>
  oldest === undefined
    ? {}
    : { oldest: oldest.toISOString(), ageSeconds: Math.max(0, Math.round((now.getTime() - oldest.getTime()) / 1000)) };

const mediaCounts = (summary: Awaited<ReturnType<Media["mediaSummary"]>>): Pick<Status, "media"> => {
  if (summary.length === 0) return {};
  const of = (wanted: MediaState) => summary.filter(({ state }) => state === wanted);
  const files = (wanted: MediaState): number => of(wanted).reduce((sum, each) => sum + each.files, 0);
  const bytes = of("stored").reduce((sum, each) => sum + each.bytes, 0);
  return { media: { files: files("stored"), bytes, missing: files("missing"), failed: files("failed") } };
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
