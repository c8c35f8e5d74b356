import type { Document, StoredRecord } from "../../core/records.ts";
import type { DroppedSample, Sample } from "../../core/sample.ts";
import { CARD, datasetCard } from "../../reports/card.ts";
import type { DatasetFacts } from "../../reports/facts.ts";
import { REPORT_HTML, REPORT_JSON, reportHtml, reportJson } from "../../reports/report.ts";
import { createStats } from "../../reports/stats.ts";
import { createSampler } from "../../transforms/shuffle.ts";
import type { AppContext } from "../context.ts";
import { selectionFacts, selectStored } from "../selection/selection.ts";
import { type RunResult, type Session, withSession } from "../session.ts";
import { VERSION } from "../version.ts";
import { checkFolder } from "../writable.ts";
import { createDecide, type KeptCall } from "./decide.ts";
import { type DatasetPlan, planOf } from "./plan.ts";
import type { DatasetRequest } from "./request.ts";
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
  const options = { command: "dataset", facts: {}, writes: false, create: false };
  return withSession(request, context, options, async (session) => {
    checkFolder(root, host);
    const { absent, unreadable } = await selectStored(session.archive, request, context);
    const drawn =
      request.sample === undefined ? undefined : await draw(request, context, session, plan, request.sample);
    const files = await SetFiles.open(root, plan, request, host);
    try {
      const facts = await produce(request, context, session, plan, files, drawn);
      const outcome = absent.length + unreadable > 0 ? "partial" : "complete";
      return { outcome, detail: {}, facts, absent: absent.length };
    } catch (error) {
      await files.discard();
      throw error;
    }
  });
};

/** Every call that has a document, with what becomes of it. */
async function* decided(
  request: DatasetRequest,
  { progress }: AppContext,
  { archive, closing }: Session,
  plan: DatasetPlan,
  stage: string,
): AsyncGenerator<{ record: StoredRecord; came: KeptCall | DroppedSample }> {
  const decide = createDecide(plan, request);
  const total = (await archive.counts()).fetched;
  let done = 0;
  let troubled = 0;
  try {
    for await (const batch of archive.records()) {
      closing.throwIfAborted();
      for (const record of batch) {
        if (!hasDocument(record)) continue;
        const came = await decide(record);
        done += 1;
        if ("reason" in came) troubled += 1;
        yield { record, came };
      }
      progress.show({ stage, done, total, troubled });
    }
  } finally {
    progress.stop();
  }
}

const hasDocument = (record: StoredRecord): record is StoredRecord & { document: Document } =>
  record.document !== undefined;

/** The ids of the samples that `--sample` keeps. */
const draw = async (
  request: DatasetRequest,
  context: AppContext,
  session: Session,
  plan: DatasetPlan,
  limit: number,
): Promise<Set<string>> => {
  const sampler = createSampler<string>(request.seed, limit);
  for await (const { came } of decided(request, context, session, plan, "Drawing"))
    if (!("reason" in came)) for (const { id } of mainOf(came)) sampler.add(id, id);
  return new Set(sampler.values());
};

/** The samples that are counted: whole calls, if any preset wants them. */
const mainOf = ({ samples }: KeptCall): Sample[] => (samples.call.length > 0 ? samples.call : samples.turn);

const produce = async (
  request: DatasetRequest,
  context: AppContext,
  session: Session,
  plan: DatasetPlan,
  files: SetFiles,
  drawn: ReadonlySet<string> | undefined,
): Promise<DatasetFacts> => {
  const stats = createStats({ seed: request.seed });
  const provenance = await files.sidecar("provenance.ndjson");
  const dropped = await files.sidecar("dropped.ndjson");
  const redacted: Record<string, number> = {};
  const note = ({ callId, step, reason, of }: DroppedSample, preset?: string): void =>
    dropped.add(`${JSON.stringify({ id: callId, ...(preset && { preset }), step, reason, ...(of && { of }) })}\n`, 1);

  for await (const batch of session.archive.unsettled())
    for (const { id, state } of batch) {
      const out = { callId: id, step: "archive", reason: state };
      stats.drop(out);
      note(out);
    }
  for await (const { record, came } of decided(request, context, session, plan, "Writing")) {
    if ("reason" in came) {
      stats.drop(came);
      note(came);
      continue;
    }
    const main = mainOf(came).filter(({ id }) => !drawn || drawn.has(id));
    if (main.length === 0) {
      const out = { callId: came.callId, step: "sample", reason: "not-drawn" };
      stats.drop(out);
      note(out);
      continue;
    }
    for (const [name, n = 0] of Object.entries(came.redacted)) redacted[name] = (redacted[name] ?? 0) + n;
    for (const lost of came.lost) note(lost);
    stats.keep(main, { split: came.split, changes: came.changes });
    const used = new Set([...main, ...written(came, plan)]);
    for (const sample of used)
      if (!drawn || drawn.has(sample.id) || drawn.has(sample.callId))
        provenance.add(`${JSON.stringify(origin(sample, came, record))}\n`, 1);
    for (const wanted of plan.wanted) {
      const unit =
        wanted.preset.unit === "turn" || plan.policy.expand === "turn" ? came.samples.turn : came.samples.call;
      for (const sample of unit) {
        if (drawn && !drawn.has(sample.id) && !drawn.has(sample.callId)) continue;
        const refusal = await files.add(wanted, came.split, sample);
        if (refusal) note({ callId: sample.id, step: "preset", reason: refusal }, wanted.preset.name);
      }
    }
    await provenance.flush();
    await dropped.flush();
  }

  const dataFiles = await files.complete();
  const facts = stats.facts({
    tool: `callarchive ${VERSION}`,
    policies: plan.policies,
    files: dataFiles,
    splits: plan.splits.map(({ name }) => name),
    ...(plan.redact && { redacted }),
  });
  const put = async (name: string, text: string): Promise<void> => (await files.sidecar(name)).add(text);
  for (const { preset } of plan.wanted) {
    const own = dataFiles.filter((file) => file.preset === preset.name);
    const prefix = plan.wanted.length > 1 ? `${preset.name}/` : "";
    const named = own.map(({ split, name }) => ({ split, name: name.slice(prefix.length) }));
    for (const { name, text } of preset.sidecars?.(named) ?? []) await put(`${prefix}${name}`, text);
  }
  await put(CARD, datasetCard(facts));
  await put(REPORT_JSON, reportJson(facts));
  await put(REPORT_HTML, await reportHtml(facts, stats.examples()));
  session.closing.throwIfAborted();
  await files.publish({
    tool: facts.tool,
    selection: selectionFacts(request, undefined),
    dataset: { seed: facts.seed, policies: facts.policies, calls: facts.calls, samples: facts.samples },
  });
  return facts;
};

/** The samples of a call that some preset writes. */
const written = ({ samples }: KeptCall, plan: DatasetPlan): Sample[] =>
  plan.policy.expand === "turn" || plan.wanted.some(({ preset }) => preset.unit === "turn")
    ? [...samples.call, ...samples.turn]
    : samples.call;

/** Where a sample comes from: never in the sample itself, trainers take nothing beside its messages. */
const origin = (
  { id, tokens, language, messages }: Sample,
  { callId, split }: KeptCall,
  { startedAt }: StoredRecord,
) => ({
  id,
  call: callId,
  split,
  language,
  ...(startedAt && { startedAt }),
  ...(tokens !== undefined && { tokens }),
  // Numbers, not times: readers of folders guess at what looks like one.
  turns: messages.map(({ role, turns }) => ({ role, turns: turns ?? [] })),
});
