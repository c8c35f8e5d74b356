import { relative } from "node:path";
import type { Archive } from "../../core/archive.ts";
import { type RunCounts, runCountsOf, sumOf } from "../../core/counts.ts";
import { ReaderGone, UsageError } from "../../core/errors.ts";
import { exportSelection } from "../../core/export.ts";
import type { ExportCounts, Filter, SampleCounts } from "../../core/render-batch.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { writers } from "../../writers/index.ts";
import type { Cloud } from "../cloud.ts";
import type { AppContext, Host } from "../context.ts";
import { writeErrorFile } from "../error-file.ts";
import { outcomeOf } from "../outcome.ts";
import { cloudOf, fetchSelection, knownBy, type PullResult } from "../pull/fetch.ts";
import { type PullPlan, planPull } from "../pull/plan.ts";
import { reportStopped } from "../pull/stopped.ts";
import { redactionOf } from "../redaction.ts";
import type { RenderPlan } from "../render-workers/plan.ts";
import { openRenderer } from "../render-workers/threads.ts";
import type { ExportRequest, FilterRequest } from "../requests.ts";
import { askedTimes, type Selection, selectionFacts, selectionOf, selectStored } from "../selection/selection.ts";
import { type RunResult, type Session, withSession } from "../session.ts";
import { type TroubleReport, troubleFacts, troubleFigures, troubleOf } from "../trouble.ts";
import { VERSION } from "../version.ts";
import { checkFileWritable } from "../writable.ts";
import { checkPlace } from "./continuation.ts";
import { deliveryOf } from "./delivery.ts";
import { checkEnding } from "./endings.ts";
import { warnOfOlderCalls } from "./older-calls.ts";
import { checkApart, checkWritable, openOutputs, placeOf, type Target, targetOf } from "./outputs.ts";
import { checkReplaceable } from "./replacement.ts";

/** How an export came out. Absent figures: whoever read the stream has seen enough and closed it. */
export interface ExportRun extends RunResult {
  written?: ExportFigures;
}

export interface ExportFigures {
  tally: RunCounts;
  pulled: PullResult;
  trouble: TroubleReport;
  exported: ExportCounts;
  /** Where the files are, relative to the host's folder; absent for a stream. */
  place?: string;
  files: readonly FileFacts[];
  /** Of a fine-tuning format. */
  samples?: SampleCounts;
  /** Places taken out, by kind. */
  redacted?: Record<string, number>;
  ms: number;
}

/**
The main job: fetch what is not there yet, then write everything that was selected.

@throws UsageError for a request that cannot be met, and what ends a run: credentials, permission, the service out of reach
*/
export const runExport = async (request: ExportRequest, context: AppContext): Promise<ExportRun> => {
  const { host, progress } = context;
  const { target, selection } = await checkedExport(request, context);
  checkWritable(target, host);
  checkFileWritable(request.errorFile, "--error-file", host);
  await checkRedactable(request, target);
  const facts = selectionFacts(request, selection);
  const writes = selection !== undefined || request.new === true;
  const cloud = cloudOf(request, context);
  return withSession(
    request,
    context,
    {
      command: "export",
      facts,
      writes,
      create: selection !== undefined,
      asked: askedTimes(request),
      output: request.output,
      ...(selection && { beforeCreation: cloud }),
    },
    async (session) => {
      try {
        await checkContinuable(session.archive, target, request);
        await warnOfOlderCalls(request, context, session.archive, target, selection);
        const pulled = await gather(request, context, cloud, session, selection);
        return await deliver(request, context, session, target, pulled, { selection, facts });
      } finally {
        progress.stop();
      }
    },
  );
};

/** Says what an export would fetch, and changes nothing. @throws UsageError with `offline`, which fetches nothing */
export const runExportPlan = async (request: ExportRequest, context: AppContext): Promise<PullPlan> => {
  const { selection } = await checkedExport(request, context);
  if (!selection) throw new UsageError("--dry-run says what would be fetched, and --offline fetches nothing.");
  return planPull("export", request, context, selection);
};

/** Everything about a request that can be checked before any work. @throws UsageError */
const checkedExport = async (
  request: ExportRequest,
  context: AppContext,
): Promise<{ target: Target; selection: Selection | undefined }> => {
  const { host } = context;
  if (request.archive === false && request.offline)
    throw new UsageError("--offline reads the archive: it does not go with --no-archive.");
  if (request.archive === false && request.new)
    throw new UsageError("--new needs an archive to remember what the output has had.");
  if (request.adopt && !request.new)
    throw new UsageError("--adopt goes with --new: without it an export replaces what is there.");
  const target = targetOf(request, host);
  checkApart(request, target, host);
  checkEnding(request, target);
  await checkReplaceable(target, request, host);
  const selection = request.offline ? undefined : await selectionOf(request, context, knownBy(request, host));
  return { target, selection };
};

/** Before anything is fetched: what cannot be delivered afterwards need not be. */
const checkContinuable = async (archive: Archive, target: Target, request: ExportRequest): Promise<void> => {
  if (!request.new || target.kind === "stream") return;
  await checkPlace({ archive, target, id: (await archive.fact("id")) ?? "", adopt: request.adopt === true });
};

const gather = async (
  request: ExportRequest,
  context: AppContext,
  cloud: () => Promise<Cloud>,
  session: Session,
  selection: Selection | undefined,
): Promise<PullResult> => {
  if (!selection) return selectOffline(request, context, session.archive);
  try {
    return await fetchSelection(request, context, cloud, session, selection);
  } catch (error) {
    await reportStopped(request, context, session.archive, selection);
    throw error;
  }
};

const selectOffline = async (request: ExportRequest, context: AppContext, archive: Archive): Promise<PullResult> => {
  const { absent, unreadable } = await selectStored(archive, request, context);
  const known = sumOf(await archive.counts());
  const none = {
    settled: 0,
    troubled: 0,
    notRefreshed: 0,
    bytes: 0,
    running: 0,
    unlisted: 0,
    throttled: 0,
    listedLate: 0,
    silentAgents: 0,
  };
  const limited = known === request.limit;
  return { ...none, selected: known, known, limited, complete: true, absent: absent.length, unreadable };
};

const deliver = async (
  request: ExportRequest,
  context: AppContext,
  { archive, startedAt, closing, ending }: Session,
  target: Target,
  pulled: PullResult,
  { selection, facts: selectionFacts }: { selection: Selection | undefined; facts: JsonObject },
): Promise<ExportRun> => {
  const { host, log, progress } = context;
  const streaming = { closing, ending, log };
  const counts = await archive.counts();
  const delivery = await deliveryOf(archive, target, request, { host, log, signal: closing });
  const opened = await openOutputs(target, request, host, delivery.part, streaming);
  delivery.watch(opened);
  const { redact, redactPattern, threads = threadsFor(counts.fetched, host) } = request;
  const plan: RenderPlan = {
    outputs: opened.outputs.map(({ format, options }) => ({ format, options })),
    filter: filterOf(request),
    redact: { ...(redact && { redact }), ...(redactPattern && { redactPattern }) },
  };
  const renderer = await openRenderer(plan, threads);
  try {
    const exported = await exportSelection({
      archive,
      renderer,
      outputs: opened.outputs,
      signal: closing,
      log,
      progress: (so) =>
        progress.show({ stage: "Writing", done: doneOf(so), total: counts.fetched, troubled: so.invalid }),
    });
    closing.throwIfAborted();
    const tally = runCountsOf(counts, exported, pulled);
    const redacted = redact || redactPattern ? exported.redacted : undefined;
    const samples = target.formats.some((format) => writers[format].samples) ? exported.samples : undefined;
    const facts = {
      tool: `callarchive ${VERSION}`,
      selection: selectionFacts,
      counts: tally,
      ...(redacted && { redacted }),
    };
    warnOfLoss(context, opened.before, tally.exported, target);
    const files = await delivery.complete(opened, facts, exported.exported);
    await writeErrorFile(request, host, archive, streaming);
    const trouble = await troubleOf(archive, request, selection);
    return {
      outcome: outcomeOf(tally, pulled, trouble.uncounted),
      detail: { ...selectionFacts, ...tally, ...troubleFacts(trouble) },
      figures: {
        calls: tally,
        bytes: pulled.bytes,
        trouble: troubleFigures(trouble, tally),
        runningSince: pulled.runningSince,
      },
      reported: true,
      written: {
        tally,
        pulled,
        trouble,
        exported,
        files,
        ms: host.now().getTime() - startedAt.getTime(),
        ...(target.kind !== "stream" && { place: relative(host.cwd, placeOf(target).root) }),
        ...(samples && { samples }),
        ...(redacted && { redacted }),
      },
    };
  } catch (error) {
    await opened.discard();
    // The reader of the stream has closed it: what was to be done is done.
    if (error instanceof ReaderGone) return { outcome: "complete", detail: selectionFacts };
    throw error;
  } finally {
    await renderer.close();
  }
};

/** Fewer calls are written before a thread has started. */
const WORTH_THREADS = 2_000;
/** More than this many wait for the one that reads the archive. */
const MOST_THREADS = 4;

/** On two cores threads save a quarter of the time, but a run would no longer fit into 200 MB: there they are asked for. */
const threadsFor = (calls: number, { cores }: Host): number =>
  calls < WORTH_THREADS || cores < 3 ? 0 : Math.min(cores - 1, MOST_THREADS);

/** @throws UsageError for a format that cannot be redacted */
const checkRedactable = async (request: ExportRequest, { formats }: Target): Promise<void> => {
  if (!(await redactionOf(request))) return;
  const raw = formats.find((format) => !writers[format].redactable);
  if (raw !== undefined)
    throw new UsageError(`${raw} is the service's own documents, byte for byte: it does not go with --redact.`);
};

const doneOf = ({ exported, skipped, invalid }: ExportCounts): number => exported + invalid + sumOf(skipped);

/** Fewer conversations than this are not worth a word. */
const WORTH_A_WARNING = 10;

/** A range that was mistyped can leave a dozen conversations where thousands were. */
const warnOfLoss = ({ host, log }: AppContext, before: number | undefined, now: number, target: Target): void => {
  if (before === undefined || target.kind === "stream") return;
  if (now * 2 < before && before - now >= WORTH_A_WARNING)
    log("warn", "fewer", { place: relative(host.cwd, target.path) || ".", before, now });
};

const filterOf = ({ status, minTurns, minDuration }: FilterRequest): Filter => ({
  ...(status !== undefined && { status }),
  ...(minTurns !== undefined && { minTurns }),
  ...(minDuration !== undefined && { minDuration }),
});
