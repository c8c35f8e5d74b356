import type { RunCounts } from "../../core/counts.ts";
import type { Counts } from "../../core/state.ts";
import type { DatasetFacts } from "../../reports/facts.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import type { AppContext, RunOutcome } from "../context.ts";
import { DATASET_DEFAULTS, EXPORT_DEFAULTS, PULL_DEFAULTS } from "../defaults.ts";
import { forOneRun } from "./context.ts";
import { type DatasetRequest, type ExportRequest, type PullRequest, plain } from "./requests.ts";

export interface PullSummary {
  /** `partial`: some calls are missing, invalid or failed, and nobody acknowledged that; all others are in the archive. */
  outcome: RunOutcome;
  /** Calls that the request means: the sum of `states`. */
  selected: number;
  /** How these calls stand now. */
  states: Counts;
  /** Of the selected, those that the archive had before. */
  known: number;
  /** Of documents that were fetched. */
  bytes: number;
  /** Requests that the service throttled; each was made again. */
  throttled: number;
  /** How long it took, in milliseconds. */
  ms: number;
}

export interface ExportSummary {
  /** `partial`: some calls are missing, invalid or failed, and nobody acknowledged that; all others are delivered. */
  outcome: RunOutcome;
  /** `selected` is the sum of all the others. Absent where the reader of standard output closed it early. */
  counts?: RunCounts;
  /** What was written, by name in the folder of the output; empty for a stream. */
  files: readonly FileFacts[];
  /** Replaced places by kind, where redaction was asked for; never what they held. */
  redacted?: Record<string, number>;
  /** How long it took, in milliseconds. */
  ms?: number;
}

export interface DatasetSummary {
  /** `partial`: some of the named ids are not in the archive, or are no ids. */
  outcome: RunOutcome;
  /** Ids that the archive does not have. */
  absent: number;
  /** What the set is and how it came about, as in its `report.json`. */
  facts: DatasetFacts;
}

/**
Fetches calls into an archive, which is made if it is not there. What the archive has is not asked for again.

Select by `ids` or `idsFile`, or by `agents` with `since` and `until`. Durations are in seconds, sizes in bytes.

Defaults: `archive` callarchive.db, `region` cn-shanghai, credentials from where Alibaba Cloud's tools look for them,
6 `retries`, 16 calls at once (`concurrency`), `describe` auto, `client` auto, documents up to 64 MB
(`maxDocumentSize`), `lookback` 24 hours.

A call that cannot be had is no error: it is counted in `states`, and the archive says why.

@throws UsageError for a request that cannot be met, ArchiveBusy where another run holds the archive, BadCredentials,
Denied or ClockSkewed where no request can succeed, GivenUp, Throttled or Unavailable where a later run may succeed,
ArchiveDamaged, and the reason of the context's signal
*/
export const pull = async (request: PullRequest, context: AppContext): Promise<PullSummary> => {
  const { runPull } = await import("../pull/pull.ts");
  const run = await runPull({ ...PULL_DEFAULTS, ...plain(request) }, forOneRun(context));
  const { outcome, selected, states, pulled, ms } = run;
  const { known, bytes, throttled } = pulled;
  return { outcome, selected, states, known, bytes, throttled, ms };
};

/**
Fetches what the archive lacks, and writes all calls that the request means, ordered by start, then id.

`output` is a file, whose ending says the format, a folder (ending in `/` or there already), or `-` for standard
output. Files appear whole or not at all, with a manifest beside them. With `offline` nothing is contacted.

Defaults: those of `pull`; `formats` by the ending of `output`, else ndjson; `rows` call; `csvGuard` true; nothing is
redacted.

@throws what `pull` throws; UsageError also for an output that cannot be, or that would replace files that are not callarchive's
*/
export const exportConversations = async (request: ExportRequest, context: AppContext): Promise<ExportSummary> => {
  const { runExport } = await import("../export/export.ts");
  const { outcome, written } = await runExport({ ...EXPORT_DEFAULTS, ...plain(request) }, forOneRun(context));
  if (!written) return { outcome, files: [] };
  const { tally: counts, files, redacted, ms } = written;
  return { outcome, counts, files, ...(redacted && { redacted }), ms };
};

/**
Makes a folder that goes straight into a trainer, from what the archive has; contacts nothing. Every call that gives no
sample is named in it, with the reason.

Defaults: `task` chat; `archive` callarchive.db; `presets` messages; `split` train=0.9,validation=0.05,test=0.05 by hash
of the call's id with `seed` 0; `greeting` drop, `system` auto, `interrupted` auto, `mergeGap` 8; one sample per call
(`expand`); exact copies are dropped (`dedupe`); nothing is redacted. Durations are in seconds, sizes in bytes.

@throws UsageError for a request that a preset cannot meet, or a folder that holds something else; NoArchive,
ArchiveDamaged, and the reason of the context's signal
*/
export const buildDataset = async (request: DatasetRequest, context: AppContext): Promise<DatasetSummary> => {
  const { runDataset } = await import("../dataset/run.ts");
  const run = await runDataset({ ...DATASET_DEFAULTS, ...plain(request) }, forOneRun(context));
  const { outcome, absent, facts } = run;
  return { outcome, absent, facts };
};
