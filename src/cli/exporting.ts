import { dirname, relative } from "node:path";
import { UsageError } from "../core/errors.ts";
import { type Exported, exportSelection, type Filter } from "../core/export.ts";
import type { Archive } from "../core/ports.ts";
import { tallyOf } from "../core/tally.ts";
import type { JsonObject } from "../core/transcript.ts";
import { callTranscript } from "../parse/call-log.ts";
import type { FileFacts } from "../sinks/part-file.ts";
import type { Input } from "./command.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { agentsSeen, fetchSelection, plan } from "./fetching.ts";
import type { Io } from "./io.ts";
import type { ExportFlags, FilterFlags } from "./options.ts";
import { checkWritable, openOutputs, type Target, targetOf } from "./outputs.ts";
import { createProgress, type Progress } from "./progress.ts";
import { count, plural } from "./render.ts";
import { selectionFacts, selectionOf, selectStored } from "./selection.ts";
import { type Got, tellSummary } from "./summary.ts";
import { VERSION } from "./version.ts";
import { archiveOf, type FixedKeys } from "./wire.ts";

export type ExportInput = Input<ExportFlags> & { fixed?: FixedKeys };

/** The main job: fetch what is not there yet, then write everything that was selected. */
export const runExport = async (input: ExportInput): Promise<ExitCode> => {
  const { args, flags, io, talk, fixed } = input;
  if (flags.offline && flags.archive === false)
    throw new UsageError("--offline reads the archive: it does not go with --no-archive.");
  const target = targetOf(flags, io);
  const selection = flags.offline ? undefined : await selectionOf(args, flags, io, () => agentsSeen(flags, io));
  if (selection && flags.dryRun) return plan({ args, flags, io, talk, fixed }, selection);
  checkWritable(target, io);

  const begun = io.now();
  const archive = await archiveOf(flags, io, selection !== undefined);
  const facts = selectionFacts(args, flags, selection);
  const run =
    selection &&
    (await archive.beginRun({
      command: input.command,
      version: VERSION,
      startedAt: begun.toISOString(),
      detail: facts,
    }));
  let code: ExitCode = EXIT.failure;
  let detail: JsonObject = facts;
  const progress = await createProgress(io, flags, talk);
  try {
    const got = selection
      ? await fetchSelection({ args, flags, io, talk, fixed, progress }, archive, selection)
      : await selectOffline(input, archive);
    const written = await write(input, archive, target, got, facts, progress);
    const { tally } = written;
    code = tally.missing + tally.invalid + tally.failed > 0 ? EXIT.partial : EXIT.complete;
    detail = { ...facts, ...tally };
    const ms = io.now().getTime() - begun.getTime();
    tellSummary(talk, { ...written, got, ms, exitCode: code });
    return code;
  } catch (error) {
    code = exitCodeOf(error);
    if (selection) await tellProgress(input, archive);
    throw error;
  } finally {
    progress.stop();
    if (run !== undefined) await archive.endRun(run, { endedAt: io.now().toISOString(), exitCode: code, detail });
    await archive.close();
  }
};

const selectOffline = async ({ args, flags, io, talk }: ExportInput, archive: Archive): Promise<Got> => {
  const absent = await selectStored(archive, args, flags, io);
  for (const id of absent) talk.log("warn", "missing", { id, message: "The archive does not have it." });
  const known = Object.values(await archive.counts()).reduce((sum, n) => sum + n, 0);
  return { unnamed: 0, absent: absent.length, settled: 0, bytes: 0, known, limited: known === flags.limit };
};

const write = async (
  { flags, io, talk }: ExportInput,
  archive: Archive,
  target: Target,
  got: Got,
  selection: JsonObject,
  progress: Progress,
) => {
  const counts = await archive.counts();
  const opened = openOutputs(target, flags, io);
  try {
    const exported = await exportSelection({
      archive,
      read: callTranscript,
      filter: filterOf(flags),
      outputs: opened.outputs,
      log: talk.log,
      progress: (so) =>
        progress.show({ stage: "Writing", done: doneOf(so), total: counts.fetched, troubled: so.invalid }),
    });
    const tally = tallyOf(counts, exported, got);
    const files: FileFacts[] = await opened.publish({ tool: `callarchive ${VERSION}`, selection, counts: tally });
    const place = placeOf(target, io);
    return {
      tally,
      exported,
      files,
      ...(place !== undefined && { place }),
      ...(opened.samples && { samples: opened.samples }),
    };
  } catch (error) {
    await opened.discard();
    throw error;
  }
};

const doneOf = ({ exported, skipped, invalid }: Exported): number =>
  exported + invalid + Object.values(skipped).reduce((sum, n) => sum + n, 0);

const placeOf = (target: Target, { cwd }: Io): string | undefined => {
  if (target.kind === "stream") return undefined;
  return relative(cwd, target.kind === "folder" ? target.path : dirname(target.path)) || ".";
};

/** What a run that ended early leaves: nothing that was stored is lost. */
const tellProgress = async ({ talk }: ExportInput, archive: Archive): Promise<void> => {
  const counts = await archive.counts();
  const selected = Object.values(counts).reduce((sum, n) => sum + n, 0);
  talk.record("stopped", { selected, ...counts });
  if (selected === 0) return;
  talk.say(
    `Ended early: of ${plural(selected, "selected call")}, ${count(counts.fetched + counts.invalid)} are in the archive. No output was written; the same command goes on from there.`,
  );
};

const filterOf = ({ status, minTurns, minDuration }: FilterFlags): Filter => ({
  ...(status !== undefined && { status }),
  ...(minTurns !== undefined && { minTurns }),
  ...(minDuration !== undefined && { minDuration }),
});
