import { relative } from "node:path";
import { type RunCounts, runCountsOf, sumOf } from "../../core/counts.ts";
import { ReaderGone, UsageError } from "../../core/errors.ts";
import { exportSelection } from "../../core/export.ts";
import type { ExportCounts, Filter, SampleCounts } from "../../core/render-batch.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { writers } from "../../writers/index.ts";
import type { AppContext } from "../context.ts";
import { writeErrorFile } from "../error-file.ts";
import { outcomeOf } from "../outcome.ts";
import { cloudOf, type PullResult } from "../pull/fetch.ts";
import { type PullPlan, planPull } from "../pull/plan.ts";
import { redacts } from "../redaction.ts";
import type { RenderPlan } from "../render-workers/plan.ts";
import { openRenderer, threadsFor } from "../render-workers/threads.ts";
import type { ExportRequest, FilterRequest } from "../requests.ts";
import { askedTimes, type Selection, selectionFacts } from "../selection/selection.ts";
import { type RunResult, type Session, withSession } from "../session.ts";
import { type TroubleReport, troubleFacts, troubleFigures, troubleOf } from "../trouble.ts";
import { VERSION } from "../version.ts";
import { checkFileWritable } from "../writable.ts";
import { checkContinuable, checkedExport, checkRedactable } from "./checks.ts";
import { deliveryOf } from "./delivery.ts";
import { gather } from "./gather.ts";
import { warnOfOlderCalls } from "./older-calls.ts";
import { checkWritable, openOutputs, placeOf, type Target } from "./outputs.ts";

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
  await checkRedactable(request, target, host);
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
  const { redact, redactPattern, redactCommand, redactTimeout, threads = threadsFor(counts.fetched, host) } = request;
  const plan: RenderPlan = {
    outputs: opened.outputs.map(({ format, options }) => ({ format, options })),
    filter: filterOf(request),
    redact: {
      ...(redact && { redact }),
      ...(redactPattern && { redactPattern }),
      ...(redactCommand !== undefined && { redactCommand }),
      ...(redactTimeout !== undefined && { redactTimeout }),
    },
  };
  const renderer = await openRenderer(plan, threads, { host, closing });
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
    const redacted = redacts(request) ? exported.redacted : undefined;
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
