import { qualifiedId } from "../core/conversation-id.ts";
import type { StoredConversation, StoredFilter } from "../core/records.ts";
import type { Transcript } from "../core/transcript.ts";
import { transcriptOf } from "../parse/index.ts";
import type { AppContext } from "./context.ts";
import { cloudOf, fetchSelection } from "./pull/fetch.ts";
import type { PullRequest } from "./requests.ts";
import { storedFilter } from "./selection/selection.ts";
import { type RunResult, type Session, withSession } from "./session.ts";

/** What one side of a call lacks. */
export interface Gap {
  id: string;
  startedAt?: string;
  /**
  - `no-call-log`: its callbacks are there, its call log is not. `state` says what became of it.
  - `no-callbacks`: its call log is there, and other calls of its agent at that time have callbacks.
  - `turns-only-in-log`, `turns-only-in-callbacks`: `turns` of them.
  */
  gap: "no-call-log" | "no-callbacks" | "turns-only-in-log" | "turns-only-in-callbacks";
  state?: string;
  turns?: number;
}

export interface ReconcileRun extends RunResult {
  /** Calls that were looked at. */
  calls: number;
  /** Call logs that this run requested, and those of them that it got. */
  requested: number;
  fetched: number;
  gaps: number;
  ms: number;
}

export type ReconcileRequest = PullRequest & { offline?: boolean };

/**
Fetches the call logs of ended calls that are known by their callbacks only, and names what the call log of each call has
and its callbacks lack, and the other way round.

@param onGap called for each gap, the earliest call first
*/
export const runReconcile = async (
  request: ReconcileRequest,
  context: AppContext,
  onGap: (gap: Gap) => void,
): Promise<ReconcileRun> => {
  const { host } = context;
  const { since, until, agents, offline } = request;
  const facts = {
    ...(agents && { agents: [...agents] }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(offline && { offline }),
  };
  const { limit: _, ...range } = storedFilter(request, host);
  const filter: StoredFilter = { ...range, sources: ["calls"], states: ["fetched"] };
  const cloud = cloudOf(request, context);
  const options = { command: "reconcile", facts, writes: offline !== true, create: false };
  return withSession(request, context, options, async (session) => {
    const { archive, startedAt, closing } = session;
    const before = await surveyOf(session, filter);
    const missing = offline ? [] : before.withoutLog;
    if (missing.length > 0) {
      const { ids: _i, idsFile: _f, agents: _a, since: _s, until: _u, limit: _l, ...rest } = request;
      const ids = async function* (): AsyncGenerator<string> {
        yield* missing;
      };
      await fetchSelection(rest, context, cloud, session, { by: "ids", ids, total: missing.length });
    }
    const left = new Map<string, string>();
    if (missing.length > 0)
      for await (const batch of archive.unsettled({ logs: true }))
        for (const { id, state } of batch) left.set(id, state);
    // Logs that came have changed when calls began.
    const { received } = missing.length > 0 ? await surveyOf(session, filter) : before;
    let calls = 0;
    let gaps = 0;
    for await (const batch of archive.list(filter, { documents: true, tolerant: true })) {
      closing.throwIfAborted();
      for (const call of batch) {
        calls += 1;
        for (const gap of gapsOf(call, received)) {
          gaps += 1;
          const state = left.get(call.id);
          onGap({ ...gap, ...(gap.gap === "no-call-log" && state !== undefined && { state }) });
        }
      }
    }
    const fetched = missing.length - left.size;
    return {
      outcome: gaps > 0 ? "partial" : "complete",
      detail: { ...facts, calls, requested: missing.length, fetched, gaps },
      calls,
      requested: missing.length,
      fetched,
      gaps,
      ms: host.now().getTime() - startedAt.getTime(),
    };
  });
};

const hasLog = ({ document, further }: StoredConversation): boolean =>
  document !== undefined && document.bytes !== further;

const hasCallbacks = ({ records = [] }: StoredConversation): boolean =>
  records.some(({ source }) => source === "callbacks");

/** The agents of calls that were fetched by id are not known: they are compared with all. */
const ANY = "";

/** From the first to the last call with callbacks, by agent, in milliseconds since 1970. */
type Received = ReadonlyMap<string, { first: number; last: number }>;

/** What callbacks say of all calls: the ended ones that have no log, and when callbacks were received. */
const surveyOf = async (
  { archive, closing }: Session,
  filter: StoredFilter,
): Promise<{ withoutLog: string[]; received: Received }> => {
  const withoutLog: string[] = [];
  const received = new Map<string, { first: number; last: number }>();
  for await (const batch of archive.list(filter, { documents: true, tolerant: true })) {
    closing.throwIfAborted();
    for (const call of batch) {
      if (!hasCallbacks(call)) continue;
      const { agentId = ANY, id, startedAt } = call;
      if (!hasLog(call)) withoutLog.push(id);
      if (startedAt === undefined) continue;
      const at = Date.parse(startedAt);
      for (const agent of new Set([agentId, ANY])) {
        const known = received.get(agent);
        received.set(agent, { first: Math.min(known?.first ?? at, at), last: Math.max(known?.last ?? at, at) });
      }
    }
  }
  return { withoutLog, received };
};

const gapsOf = (call: StoredConversation, received: Received): Gap[] => {
  const { agentId = ANY, startedAt } = call;
  const heading = { id: qualifiedId(call), ...(startedAt !== undefined && { startedAt }) };
  if (!hasLog(call)) return hasCallbacks(call) ? [{ ...heading, gap: "no-call-log" }] : [];
  if (!hasCallbacks(call)) {
    const span = received.get(agentId);
    const at = startedAt === undefined ? Number.NaN : Date.parse(startedAt);
    return span && span.first <= at && at <= span.last ? [{ ...heading, gap: "no-callbacks" }] : [];
  }
  // Without chat records an agent's callbacks tell nothing of turns.
  if (!call.records?.some(({ id }) => id.includes("/dialogue/"))) return [];
  const { onlyInLog, onlyInCallbacks } = turnsOf(transcriptOf(call));
  return [
    ...(onlyInLog > 0 ? [{ ...heading, gap: "turns-only-in-log" as const, turns: onlyInLog }] : []),
    ...(onlyInCallbacks > 0 ? [{ ...heading, gap: "turns-only-in-callbacks" as const, turns: onlyInCallbacks }] : []),
  ];
};

/** A turn of the log that callbacks know has their id of the dialogue, or their audio. */
const turnsOf = ({ turns }: Transcript): { onlyInLog: number; onlyInCallbacks: number } => ({
  onlyInLog: turns.filter(
    ({ recordSource, extra, audio }) =>
      recordSource === undefined && extra?.dialogueId === undefined && audio === undefined,
  ).length,
  onlyInCallbacks: turns.filter(({ recordSource }) => recordSource === "callbacks").length,
});
