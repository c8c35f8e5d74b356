import { sumOf } from "../../core/counts.ts";
import type { Counts } from "../../core/state.ts";
import type { AppContext } from "../context.ts";
import { writeErrorFile } from "../error-file.ts";
import { checkApart } from "../export/outputs.ts";
import { outcomeOf } from "../outcome.ts";
import type { PullRequest } from "../requests.ts";
import { askedTimes, type Selection, selectionFacts, selectionOf } from "../selection/selection.ts";
import { type RunResult, withSession } from "../session.ts";
import { type TroubleReport, troubleFacts, troubleFigures, troubleOf } from "../trouble.ts";
import { checkFileWritable } from "../writable.ts";
import { cloudOf, fetchSelection, knownBy, type PullResult } from "./fetch.ts";
import { type PullPlan, planPull } from "./plan.ts";
import { reportStopped } from "./stopped.ts";

/** The result of a pull. */
export interface PullRun extends RunResult {
  selected: number;
  /** How many calls of the selection are in each state. */
  states: Counts;
  pulled: PullResult;
  trouble: TroubleReport;
  ms: number;
}

/**
Fetches a selection into the archive.

@throws UsageError for an invalid selection, and errors that end a run: credentials, permission, unreachable service
*/
export const runPull = async (request: PullRequest, context: AppContext): Promise<PullRun> => {
  const { host, log } = context;
  const selection = await pullSelection(request, context);
  checkFileWritable(request.errorFile, "--error-file", host);
  const facts = selectionFacts(request, selection);
  const cloud = cloudOf(request, context);
  const asked = askedTimes(request);
  const options = { command: "pull", facts, writes: true, create: true, asked, beforeCreation: cloud };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt, closing, ending } = session;
    const pulled = await fetchSelection(request, context, cloud, session, selection).catch(async (error: unknown) => {
      await reportStopped(request, context, archive, selection);
      throw error;
    });
    await writeErrorFile(request, host, archive, { closing, ending, log });
    const counts = await archive.counts({ logs: true });
    const states = {
      ...counts,
      open: counts.open + pulled.running,
      missing: counts.missing + pulled.absent,
      failed: counts.failed + pulled.unreadable,
    };
    const selected = sumOf(states);
    const trouble = await troubleOf(archive, request, selection, { logs: true });
    return {
      outcome: outcomeOf(states, pulled, trouble.uncounted),
      detail: { ...facts, selected, ...states, ...troubleFacts(trouble) },
      figures: {
        calls: { selected, ...states },
        bytes: pulled.bytes,
        trouble: troubleFigures(trouble, states),
        runningSince: pulled.runningSince,
      },
      reported: true,
      selected,
      states,
      pulled,
      trouble,
      ms: host.now().getTime() - startedAt.getTime(),
    };
  });
};

/** Counts what a pull would fetch, and changes nothing. */
export const runPullPlan = async (request: PullRequest, context: AppContext): Promise<PullPlan> =>
  planPull("pull", request, context, await pullSelection(request, context));

const pullSelection = async (request: PullRequest, context: AppContext): Promise<Selection> => {
  checkApart(request, undefined, context.host);
  return selectionOf(request, context, knownBy(request, context));
};
