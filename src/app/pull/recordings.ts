import { sumOf } from "../../core/counts.ts";
import { UsageError } from "../../core/errors.ts";
import type { StoredMedia } from "../../core/media.ts";
import type { MediaOutcome } from "../../core/media-store.ts";
import type { JsonObject } from "../../core/transcript.ts";
import { isBucket } from "../../object-storage/place.ts";
import { bindingOf, mismatch } from "../binding.ts";
import type { AppContext, RunOutcome } from "../context.ts";
import { connectMedia, type MediaCloud } from "../media/cloud.ts";
import { downloadMedia } from "../media/download.ts";
import { mediaFolder } from "../media/folder.ts";
import { downloadAll, mediaIn } from "../media/run.ts";
import type { RecordingPullRequest } from "../record-requests.ts";
import { storedFilter } from "../selection/selection.ts";
import { type RunResult, type Session, withSession } from "../session.ts";
import { checkFileWritable } from "../writable.ts";
import { type Matched, matchRecordings } from "./recording-calls.ts";
import { findRecordings } from "./recording-files.ts";
import { type RecordRun, type TakeTrouble, withTrouble } from "./records.ts";

/** How a pull of recordings came out. */
export interface RecordingRun extends RunResult {
  /** Files that were looked at, and how many of them are new in the archive. */
  found: number;
  added: number;
  matched: Matched;
  /** Files that this run downloaded, and their bytes. */
  downloaded: number;
  bytes: number;
  /** Files that still wait. */
  waiting: number;
  troubled: RecordRun["troubled"];
  silent: boolean;
  ms: number;
}

/**
Notes recordings in the archive, finds their calls, and downloads them beside the archive.

A download that was interrupted continues where it ended. A file is downloaded once.

@throws UsageError for an invalid selection, and errors that end a run: credentials, permission, unreachable service
*/
export const runRecordingPull = async (request: RecordingPullRequest, context: AppContext): Promise<RecordingRun> => {
  const { host } = context;
  checkSelection(request);
  const { since, until } = storedFilter(request, host);
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts = factsOf(request);
  const cloud = await connectMedia(request, context);
  const options = { command: "pull recordings", facts, writes: true, create: request.mediaOnly !== true };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt } = session;
    await checkAccount(session, cloud, request);
    let run = { found: 0, added: 0, downloaded: 0, bytes: 0, waiting: 0, matched: NOTHING_MATCHED };
    const work = async (take: TakeTrouble): Promise<void> => {
      const seen: Date[] = [];
      if (!request.mediaOnly) {
        const call = request.call === undefined ? undefined : await callOf(request.call, session);
        for await (const { files, count } of findRecordings({
          request,
          cloud,
          since,
          until,
          take,
          signal: session.ending,
        })) {
          session.closing.throwIfAborted();
          run.added += await archive.addMedia(files.map((file) => ({ ...file, ...(call && { item: call }) })));
          run.found += count;
          for (const { at } of files) if (at) seen.push(at);
          context.progress.show({ stage: "Listing", done: run.found, worked: run.found, troubled: 0 });
        }
      }
      run.matched = await matchRecordings(archive, seen, session.closing);
      if (request.media !== false) run = { ...run, ...(await download(request, context, session, cloud, take)) };
      session.closing.throwIfAborted();
    };
    try {
      const onlyNew = request.mediaOnly === true && !request.strict;
      const { errorFile } = request;
      const troubled = await withTrouble({ source: "recordings", errorFile, onlyNew }, context, session, work);
      for await (const _ of mediaIn(archive, { ...RECORDED, states: ["pending"] })) run.waiting += 1;
      const silent = await isSilent(run.found, request, context, session, cloud);
      const outcome: RunOutcome = sumOf(troubled) > 0 || silent ? "partial" : "complete";
      const { matched, ...counts } = run;
      return {
        ...run,
        troubled,
        silent,
        outcome,
        detail: { ...facts, ...counts, matched: matched.files, unmatched: matched.unmatched, ...troubled },
        ms: host.now().getTime() - startedAt.getTime(),
      };
    } finally {
      context.progress.stop();
    }
  }).finally(() => cloud.close());
};

const RECORDED = { kinds: ["recording", "segment"] } as const;
const NOTHING_MATCHED: Matched = {
  files: 0,
  unmatched: 0,
  withoutTime: 0,
  calls: { recorded: 0, notRecordable: 0, unrecorded: 0 },
};

/** @throws UsageError */
const checkSelection = (request: RecordingPullRequest): void => {
  const { tasks = [], bucket, prefix, media, mediaOnly, call, archive } = request;
  if (archive === false) throw new UsageError("Recordings are kept beside an archive: name one with --archive.");
  if (bucket !== undefined && !isBucket(bucket)) throw new UsageError(`"${bucket}" is not the name of a bucket.`);
  if (prefix !== undefined && bucket === undefined) throw new UsageError("--prefix goes with --bucket.");
  if (prefix?.startsWith("/"))
    throw new UsageError('Keys of objects do not begin with "/": write --prefix without it.');
  if (mediaOnly && media === false) throw new UsageError("--media-only and --no-media exclude each other.");
  const looks = tasks.length > 0 || bucket !== undefined;
  if (mediaOnly && looks) throw new UsageError("--media-only looks for nothing new: name no tasks and no bucket.");
  if (!mediaOnly && !looks)
    throw new UsageError(
      "Nothing is selected. Name tasks of cloud recording, or the bucket that holds the files with --bucket.",
    );
  if (tasks.length > 0 && prefix !== undefined) throw new UsageError("Select by task, or by --prefix, not both.");
  if (call !== undefined && tasks.length === 0)
    throw new UsageError("--call goes with tasks: it names the call that they recorded.");
};

const factsOf = ({
  tasks,
  bucket,
  prefix,
  since,
  until,
  media,
  mediaOnly,
  call,
}: RecordingPullRequest): JsonObject => ({
  ...(tasks?.length && { tasks: [...tasks] }),
  ...(bucket !== undefined && { bucket }),
  ...(prefix !== undefined && { prefix }),
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
  ...(call !== undefined && { call }),
  ...(media === false && { media }),
  ...(mediaOnly && { mediaOnly }),
});

/** Buckets may be in another region than agents, but not of another account. @throws UsageError */
const checkAccount = async ({ archive }: Session, cloud: MediaCloud, request: RecordingPullRequest): Promise<void> => {
  if (request.allowOther) return;
  const { account } = await bindingOf(archive);
  if (account === undefined) return;
  const own = await cloud.account();
  const reason = mismatch(String(request.archive), { account }, own === undefined ? {} : { account: own });
  if (reason !== undefined) throw new UsageError(`${reason} Use --allow-other to continue anyway.`);
};

/** @throws UsageError for a call that the archive does not have */
const callOf = async (id: string, { archive }: Session): Promise<number> => {
  const call = await archive.find(id, ["calls"]);
  if (!call || call.state === "pruned") throw new UsageError(`The archive has no call ${id}: pull it first.`);
  return call.item;
};

const download = async (
  request: RecordingPullRequest,
  { host, progress }: AppContext,
  { archive, closing, ending }: Session,
  cloud: MediaCloud,
  take: TakeTrouble,
) => {
  const folder = mediaFolder(request.archive, host);
  const limits = { maxBytes: request.maxMediaSize, signal: AbortSignal.any([closing, ending]) };
  const counts = { downloaded: 0, bytes: 0 };
  const troubles: [MediaOutcome, StoredMedia][] = [];
  await downloadAll({
    files: mediaIn(archive, { ...RECORDED, states: request.mediaOnly ? ["pending", "failed"] : ["pending"] }),
    concurrency: request.concurrency,
    download: (media) => downloadMedia(media, undefined, cloud, folder, limits),
    folder,
    commit: (outcomes) => archive.commitMedia(outcomes),
    onOutcome: (outcome, media) => {
      if (outcome.state === "stored") {
        counts.downloaded += 1;
        counts.bytes += outcome.bytes;
      } else troubles.push([outcome, media]);
      const done = counts.downloaded + troubles.length;
      progress.show({ stage: "Downloading", done, worked: done, troubled: troubles.length });
    },
    closing,
  });
  for (const [outcome, { place }] of troubles) {
    if (outcome.state === "stored") continue;
    const state = outcome.state === "pending" ? "failed" : outcome.state;
    await take({ id: place, state, ...outcome.error });
  }
  return counts;
};

/** Warns if a bucket has no recordings, and never had. Returns whether that makes the run `partial`. */
const isSilent = async (
  found: number,
  { tasks = [], mediaOnly, allowEmpty }: RecordingPullRequest,
  { log }: Pick<AppContext, "log">,
  { archive }: Session,
  cloud: MediaCloud,
): Promise<boolean> => {
  if (tasks.length > 0 || mediaOnly || found > 0 || (await archive.listMedia({ ...RECORDED, limit: 1 })).length > 0)
    return false;
  const whatToCheck = `check --bucket, --prefix and ${cloud.addressFlag}`;
  log("warn", "never-listed-records", { source: "recordings", message: whatToCheck });
  return allowEmpty !== true;
};
