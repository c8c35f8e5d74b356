import { relative } from "node:path";
import type { Archive } from "../../core/archive.ts";
import { ReaderGone, UsageError } from "../../core/errors.ts";
import { exportSelection } from "../../core/export.ts";
import type { Exported, Filter } from "../../core/render.ts";
import { sumOf, type Tally, tallyOf } from "../../core/tally.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { Input } from "../command.ts";
import { checkEnding } from "../endings.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { Talk } from "../log.ts";
import type { ExportFlags, FilterFlags } from "../options.ts";
import { checkApart, checkWritable, openOutputs, placeOf, type Target, targetOf } from "../outputs.ts";
import { createProgress, type Progress } from "../progress.ts";
import { redactionOf } from "../redaction.ts";
import { isAre, plural } from "../render.ts";
import type { RenderPlan } from "../rendering/plan.ts";
import { openRenderer } from "../rendering/threads.ts";
import { checkReplaceable } from "../replacing.ts";
import { askedFacts, type Selection, selectionFacts, selectionOf, selectStored } from "../selection.ts";
import { VERSION } from "../version.ts";
import type { Cloud, FixedKeys } from "../wire-cloud.ts";
import { checkFileWritable } from "../writable.ts";
import { checkPlace } from "./continuing.ts";
import { type Delivery, deliveryOf } from "./delivery.ts";
import { writeErrorFile } from "./error-file.ts";
import { askedFor, cloudOf, fetchSelection, type Got, knownBy, plan } from "./fetching.ts";
import { tellOlder } from "./older-calls.ts";
import { type Came, type Session, withSession } from "./session.ts";
import { tellSummary } from "./summary.ts";
import { troubleFacts, troubleFigures, troubleOf } from "./trouble.ts";

export type ExportInput = Input<ExportFlags> & { fixed?: FixedKeys };

/** The main job: fetch what is not there yet, then write everything that was selected. */
export const runExport = async (input: ExportInput): Promise<ExitCode> => {
  const { flags, io } = input;
  if (flags.archive === false && flags.offline)
    throw new UsageError("--offline reads the archive: it does not go with --no-archive.");
  if (flags.archive === false && flags.new)
    throw new UsageError("--new needs an archive to remember what the output has had.");
  if (flags.adopt && !flags.new)
    throw new UsageError("--adopt goes with --new: without it an export replaces what is there.");
  const target = targetOf(flags, io);
  checkApart(flags, target, io);
  checkEnding(flags, target);
  await checkReplaceable(target, flags, io);
  const selection = flags.offline ? undefined : await selectionOf(input, knownBy(flags, io));
  if (selection && flags.dryRun) return plan(input, selection);
  checkWritable(target, io);
  checkFileWritable(flags.errorFile, "--error-file", io);
  await checkRedactable(flags, target);
  const facts = selectionFacts(input, selection);
  const writes = selection !== undefined || flags.new === true;
  const cloud = cloudOf(input);
  return withSession(
    input,
    {
      facts,
      writes,
      create: selection !== undefined,
      asked: askedFacts(flags),
      output: flags.output,
      ...(selection && { beforeCreation: cloud }),
    },
    async (session) => {
      const progress = await createProgress(io, flags, input.talk);
      try {
        await checkContinuable(session.archive, target, flags);
        await tellOlder(input, session.archive, target, selection);
        const got = await gather(input, cloud, session, selection, progress);
        return await deliver(input, session, target, got, { selection, facts }, progress);
      } finally {
        progress.stop();
      }
    },
  );
};

/** Before anything is fetched: what cannot be delivered afterwards need not be. */
const checkContinuable = async (archive: Archive, target: Target, flags: ExportFlags): Promise<void> => {
  if (!flags.new || target.kind === "stream") return;
  await checkPlace({ archive, target, id: (await archive.fact("id")) ?? "", adopt: flags.adopt === true });
};

const gather = async (
  input: ExportInput,
  cloud: () => Promise<Cloud>,
  session: Session,
  selection: Selection | undefined,
  progress: Progress,
): Promise<Got> => {
  if (!selection) return selectOffline(input, session.archive);
  try {
    return await fetchSelection(input, cloud, session, selection, progress);
  } catch (error) {
    await tellProgress(input, session.archive, askedFor(selection, input.flags));
    throw error;
  }
};

const selectOffline = async (input: ExportInput, archive: Archive): Promise<Got> => {
  const { absent, unreadable } = await selectStored(archive, input);
  for (const id of absent) input.talk.log("warn", "missing", { id, message: "The archive does not have it." });
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
  const limited = known === input.flags.limit;
  return { ...none, selected: known, known, limited, complete: true, absent: absent.length, unreadable };
};

const deliver = async (
  { flags, io, talk }: ExportInput,
  { archive, begun, closing, ending }: Session,
  target: Target,
  got: Got,
  { selection: selected, facts: selection }: { selection: Selection | undefined; facts: JsonObject },
  progress: Progress,
): Promise<Came> => {
  const context = { closing, ending, log: talk.log };
  const counts = await archive.counts();
  const delivery: Delivery = await deliveryOf(archive, target, flags, { io, log: talk.log, signal: closing });
  const opened = await openOutputs(target, flags, io, delivery.part, context);
  delivery.watch(opened);
  const { redact, redactPattern, threads = threadsFor(counts.fetched, io) } = flags;
  const plan: RenderPlan = {
    outputs: opened.outputs.map(({ format, options }) => ({ format, options })),
    filter: filterOf(flags),
    redact: { ...(redact && { redact }), ...(redactPattern && { redactPattern }) },
  };
  const renderer = await openRenderer(plan, threads);
  try {
    const exported = await exportSelection({
      archive,
      renderer,
      outputs: opened.outputs,
      signal: closing,
      log: talk.log,
      progress: (so) =>
        progress.show({ stage: "Writing", done: doneOf(so), total: counts.fetched, troubled: so.invalid }),
    });
    closing.throwIfAborted();
    const tally = tallyOf(counts, exported, got);
    const redacted = redact || redactPattern ? exported.redacted : undefined;
    const samples = target.formats.some((format) => format === "messages") ? exported.samples : undefined;
    const facts = { tool: `callarchive ${VERSION}`, selection, counts: tally, ...(redacted && { redacted }) };
    warnOfLoss(talk, opened.before, tally.exported, target, io);
    const files = await delivery.complete(opened, facts, exported.exported);
    await writeErrorFile(flags, io, archive, context);
    const trouble = await troubleOf(archive, flags, selected);
    const code = codeOf(tally, got, trouble.uncounted);
    const place = shownPlace(target, io);
    tellSummary(talk, {
      tally,
      got,
      trouble,
      exported,
      files,
      exitCode: code,
      ms: io.now().getTime() - begun.getTime(),
      ...(place !== undefined && { place }),
      ...(samples && { samples }),
      ...(redacted && { redacted }),
    });
    return {
      code,
      detail: { ...selection, ...tally, ...troubleFacts(trouble) },
      figures: {
        calls: tally,
        bytes: got.bytes,
        trouble: troubleFigures(trouble, tally),
        runningSince: got.runningSince,
      },
      reported: true,
    };
  } catch (error) {
    await opened.discard();
    // Whoever reads has seen enough: what was to be done is done.
    if (error instanceof ReaderGone) return { code: EXIT.complete, detail: selection };
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
const threadsFor = (calls: number, { cores }: Io): number =>
  calls < WORTH_THREADS || cores < 3 ? 0 : Math.min(cores - 1, MOST_THREADS);

/** @throws UsageError */
const checkRedactable = async (flags: ExportFlags, { formats }: Target): Promise<void> => {
  const redaction = await redactionOf(flags);
  if (redaction && formats.some((format) => format === "raw"))
    throw new UsageError("raw is the service's own documents, byte for byte: it does not go with --redact.");
};

/** @param uncounted of what is missing, invalid or failed, how many were reported before or acknowledged */
export const codeOf = (
  { missing, invalid, failed, pending }: Pick<Tally, "missing" | "invalid" | "failed" | "pending">,
  { unlisted, silentAgents, notRefreshed }: Got,
  uncounted: number,
): ExitCode =>
  missing + invalid + failed - uncounted + pending + unlisted + silentAgents + notRefreshed > 0
    ? EXIT.partial
    : EXIT.complete;

const doneOf = ({ exported, skipped, invalid }: Exported): number => exported + invalid + sumOf(skipped);

/** Fewer conversations than this are not worth a word. */
const WORTH_A_WARNING = 10;

/** A range that was mistyped can leave a dozen conversations where thousands were. */
const warnOfLoss = (talk: Talk, before: number | undefined, now: number, target: Target, io: Io): void => {
  if (before === undefined || target.kind === "stream") return;
  if (now * 2 < before && before - now >= WORTH_A_WARNING)
    talk.log("warn", "fewer", { place: relative(io.cwd, target.path) || ".", before, now });
};

const shownPlace = (target: Target, { cwd }: Io): string | undefined =>
  target.kind === "stream" ? undefined : relative(cwd, placeOf(target).root);

/** What a run that ended early leaves: nothing that was stored is lost. @param asked how many calls were asked for, if known */
export const tellProgress = async (
  { talk, flags }: Pick<ExportInput, "talk"> & { flags: { archive: string | false } },
  archive: Archive,
  asked: number | undefined,
): Promise<void> => {
  const counts = await archive.counts();
  const selected = sumOf(counts);
  talk.record("stopped", { ...(asked !== undefined && { asked }), selected, ...counts });
  if (selected === 0 || flags.archive === false) return;
  const of =
    asked === undefined
      ? `${plural(selected, "call")} found so far`
      : `${plural(Math.max(asked, selected), "call")} asked for`;
  talk.say(
    `Ended early: of ${of}, ${isAre(counts.fetched + counts.invalid)} in the archive. The same command goes on from there.`,
  );
};

const filterOf = ({ status, minTurns, minDuration }: FilterFlags): Filter => ({
  ...(status !== undefined && { status }),
  ...(minTurns !== undefined && { minTurns }),
  ...(minDuration !== undefined && { minDuration }),
});
