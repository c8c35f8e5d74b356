import { messageOf } from "../../core/errors.ts";
import { hasDocument, readOrReason } from "../../core/reading.ts";
import type { StoredConversation } from "../../core/records.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { CARD, datasetCard } from "../../reports/card.ts";
import type { DatasetFacts } from "../../reports/facts.ts";
import { REPORT_HTML, REPORT_JSON, reportHtml, reportJson } from "../../reports/report.ts";
import type { AppContext } from "../context.ts";
import { selectionFacts, selectStored } from "../selection/selection.ts";
import { type RunResult, type Session, withSession } from "../session.ts";
import { VERSION } from "../version.ts";
import { checkFolder } from "../writable.ts";
import { type DroppedCall, type KeptCall, wantsCalls } from "./decide.ts";
import { originLine, SetDetails } from "./details.ts";
import { ALL_DRAWN, createDrawing, type Draw } from "./draw.ts";
import { type DatasetPlan, planOf } from "./plan.ts";
import { presetSidecars } from "./preset-sidecars.ts";
import type { DatasetRequest } from "./request.ts";
import { type CallRows, createRowMaker, TOO_LARGE } from "./rows.ts";
import { scoreBatch } from "./scores/score-batch.ts";
import { SetFiles } from "./set-files.ts";
import { setFolder } from "./set-folder.ts";

/** How a data set came out. */
export interface DatasetRun extends RunResult {
  facts: DatasetFacts;
  /** Ids that the archive does not have. */
  absent: number;
}

/**
Makes a folder that goes straight into a trainer from what the archive has, with nothing dropped silently.

@throws UsageError for a request that a preset cannot meet
*/
export const runDataset = async (request: DatasetRequest, context: AppContext): Promise<DatasetRun> => {
  const { host } = context;
  const root = setFolder(request.output, host);
  const plan = await planOf(request, host);
  for (const message of plan.warnings) context.log("warn", "preset-limits", { message });
  const options = { command: "dataset", facts: {}, writes: false, create: false };
  const work = async (session: Session): Promise<DatasetRun> => {
    checkFolder(root, host);
    const { absent, unreadable } = await selectStored(session.archive, request, context, plan.sql && ["queries"]);
    const drawn = await draw(request, context, session, plan);
    const files = await SetFiles.open(root, plan, request, host);
    try {
      const facts = await produce(request, context, session, plan, files, drawn);
      await rememberSet(root, session, context);
      const outcome = absent.length + unreadable > 0 ? "partial" : "complete";
      return { outcome, detail: {}, facts, absent: absent.length };
    } catch (error) {
      await files.discard();
      throw error;
    }
  };
  try {
    return await withSession(request, context, options, work);
  } finally {
    await plan.reader.close();
    await plan.scores?.close();
  }
};

/** Notes the folder in the archive, so that `forget` names the rows. The data set does not depend on it. */
const rememberSet = async (root: string, { archive }: Session, { log }: AppContext): Promise<void> => {
  try {
    if (!(await archive.sets()).includes(root)) await archive.rememberSet(root);
  } catch (error) {
    const message = `The archive cannot remember the data set, so "forget" will not name its rows: ${messageOf(error)}`;
    log("warn", "not-recorded", { message });
  }
};

/** Every call that has a document, kept or dropped. */
async function* callsOf(
  plan: DatasetPlan,
  { progress }: AppContext,
  { archive, closing }: Session,
  stage: string,
): AsyncGenerator<{ record: StoredConversation; call: CallRows | DroppedCall }> {
  const make = createRowMaker(plan);
  const total = (await archive.counts()).fetched;
  let done = 0;
  let troubled = 0;
  try {
    for await (const batch of archive.conversations()) {
      closing.throwIfAborted();
      await plan.reader.prepare?.(batch, closing);
      await scoreBatch(plan, batch, closing);
      for (const record of batch) {
        if (!hasDocument(record)) continue;
        const read = readOrReason(plan.reader.read, record);
        const call =
          "unreadable" in read
            ? { callId: record.id, step: "read", reason: read.tooLarge ? TOO_LARGE : read.unreadable }
            : make(read);
        done += 1;
        if ("reason" in call) troubled += 1;
        yield { record, call };
      }
      progress.show({ stage, done, total, troubled });
    }
  } finally {
    progress.stop();
  }
}

/** Which samples are drawn: all, if nothing limits their number. */
const draw = async (
  request: DatasetRequest,
  context: AppContext,
  session: Session,
  plan: DatasetPlan,
): Promise<Draw> => {
  const drawing = createDrawing(request);
  if (!drawing) return ALL_DRAWN;
  for await (const { record, call } of callsOf(plan, context, session, "Drawing"))
    if (!("reason" in call)) for (const sample of countedOf(plan, call)) drawing.add(sample, record);
  return drawing.end();
};

/** The samples that are counted: whole calls, if any preset wants them. */
const countedOf = (plan: DatasetPlan, { samples }: KeptCall): Sample[] =>
  plan.sql || wantsCalls(plan) ? samples.call : samples.turn;

const notDrawn = ({ id }: Sample, step: string): DroppedSample => ({
  callId: id,
  unit: "entry",
  step,
  reason: "not-drawn",
});

const produce = async (
  request: DatasetRequest,
  context: AppContext,
  session: Session,
  plan: DatasetPlan,
  files: SetFiles,
  { isDrawn, stepOf }: Draw,
): Promise<DatasetFacts> => {
  // Samples of turns are written when their call is drawn.
  const comesWith = (sample: Sample): boolean => isDrawn(sample) || isDrawn({ id: sample.callId });
  const details = await SetDetails.open(request.seed, files);
  for await (const batch of session.archive.unsettled())
    for (const record of batch) details.drop({ callId: record.id, step: "archive", reason: record.state }, record);
  for await (const { record, call } of callsOf(plan, context, session, "Writing")) {
    if ("reason" in call) {
      details.drop(call, record);
      continue;
    }
    const { samples } = call;
    const undrawn = plan.sql
      ? samples.call.filter((each) => !isDrawn(each)).map((each) => notDrawn(each, stepOf(each)))
      : [];
    const kept = { ...call, lost: [...call.lost, ...undrawn] };
    if (![...samples.call, ...samples.turn].some(comesWith)) {
      const lost = plan.sql ? kept.lost : [];
      const [first = { id: call.callId }] = countedOf(plan, call);
      details.drop({ callId: call.callId, step: stepOf(first), reason: "not-drawn", lost }, record);
      continue;
    }
    details.keep(kept, countedOf(plan, call).filter(isDrawn), record);
    const origins = new Map<Sample, string>();
    for (const row of call.rows(comesWith)) {
      const { wanted, sample, counted } = row;
      if (row.refusal !== undefined) details.refuse(wanted.preset.name, row.refusal, { sample, counted, call, record });
      else {
        const origin = origins.get(sample) ?? originLine({ sample, counted, call, record });
        origins.set(sample, origin);
        details.stats.learn(row.halfAnswers);
        await files.add(row, call.split, origin);
      }
    }
    await details.flush();
  }

  const dataFiles = await files.complete();
  const facts = details.stats.facts({
    tool: `callarchive ${VERSION}`,
    task: request.task,
    policies: plan.policies,
    files: dataFiles,
    splits: plan.splits.map(({ name }) => name),
    ...(plan.exclusions && { excluded: plan.exclusions.files }),
    redacts: plan.redacts,
  });
  for (const { name, text } of presetSidecars(
    plan.wanted.map(({ preset }) => preset),
    dataFiles,
  ))
    (await files.sidecar(name)).add(text);
  (await files.sidecar(CARD)).add(datasetCard(facts));
  (await files.sidecar(REPORT_JSON)).add(reportJson(facts));
  (await files.sidecar(REPORT_HTML)).add(await reportHtml(facts, details.stats.examples()));
  session.closing.throwIfAborted();
  await files.publish({
    tool: facts.tool,
    selection: selectionFacts(request, undefined),
    dataset: {
      task: facts.task,
      seed: facts.seed,
      policies: facts.policies,
      calls: facts.calls,
      samples: facts.samples,
    },
  });
  return facts;
};
