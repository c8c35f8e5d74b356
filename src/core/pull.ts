import type { Archive } from "./archive.ts";
import { ArchiveError, type ErrorFacts, GivenUp, messageOf, NotFound, Throttled, Unavailable } from "./errors.ts";
import { inBatches } from "./flow/batches.ts";
import { forEachConcurrent } from "./flow/pool.ts";
import type { Fetch, FetchResult, FoundCall, Log } from "./ports.ts";
import type { Outcome, SelectedItem } from "./records.ts";
import { isFinal } from "./state.ts";

/** A call that is not finished is asked for again for so long, in milliseconds. */
export const GIVE_UP_MS = 72 * 3_600_000;

/** In bytes. */
const COMMIT_BYTES = 4 * 1024 * 1024;
/** In times `concurrency`: a run that is killed has to fetch up to twice as much again, for one batch waits for another. */
const COMMIT_ROUNDS = 4;
const COMMIT_MS = 250;

export interface PullOptions {
  archive: Pick<Archive, "select" | "listing" | "commit">;
  /** The selection, in batches. */
  found: AsyncIterable<FoundCall[]>;
  fetch: Fetch;
  /** Documents under way at once. */
  concurrency: number;
  /** Fetch again what is stored. */
  refresh?: boolean;
  /** Ask for the details of stored calls that were only listed. */
  describe?: boolean;
  /** Stop after this many calls were selected. */
  limit?: number;
  /**
  The run ends after this many items in a row failed for reasons that should have passed.

  @default 20
  */
  maxConsecutiveFailures?: number;
  now: () => Date;
  /** Ends the intake; what is under way is finished and committed. */
  closing?: AbortSignal;
  /** Ends everything at once. */
  signal?: AbortSignal;
  log: Log;
  /** Told after each settled item. */
  progress?: (pulled: PullProgress) => void;
}

/** How far a pull is, and at the end what it did. */
export interface PullProgress {
  /** Distinct calls selected so far. */
  selected: number;
  /** Of those, stored before and not asked for again. */
  known: number;
  /** Of those, settled now, whatever came of them. */
  settled: number;
  /** Settled without a document. */
  troubled: number;
  /** Asked for again with `refresh`, in vain: what was stored stays. */
  notRefreshed: number;
  /** Bytes of documents fetched. */
  bytes: number;
  /** True when `limit` cut the selection. */
  limited: boolean;
  /** True when the whole selection is known. */
  complete: boolean;
}

/**
Brings the selection into the archive: every call that is not settled there is fetched, and recorded after its bytes are.

@throws the `ArchiveError` that stops everything (credentials, permission, clock), or `GivenUp`.
*/
export const pull = async (options: PullOptions): Promise<PullProgress> => {
  const { archive, fetch, concurrency, closing, signal, log, progress, maxConsecutiveFailures = 20 } = options;
  const pulled: PullProgress = {
    selected: 0,
    known: 0,
    settled: 0,
    troubled: 0,
    notRefreshed: 0,
    bytes: 0,
    limited: false,
    complete: false,
  };
  const commits = inBatches<SettledCall>({
    write: async (batch) => {
      const outcomes = batch.map(({ outcome, choice }): Outcome => ({ item: choice.item, ...outcome }));
      const conflicts = await archive.commit(outcomes);
      for (const call of batch) settle(call);
      for (const { id, instanceId } of conflicts) {
        pulled.troubled += 1;
        const message = `it carries the same instance id as another call log, ${instanceId}, and differs from it`;
        log("warn", "invalid", { id, code: "SameId", message, sameAs: instanceId });
      }
    },
    maxCount: COMMIT_ROUNDS * concurrency,
    maxSize: COMMIT_BYTES,
    sizeOf: ({ outcome }) => outcome.document?.bytes.length ?? 0,
    maxDelayMs: COMMIT_MS,
  });
  let failuresInRow = 0;
  let temporaryFailures = 0;
  let newFailures = 0;

  /** What is on disk counts. */
  const settle = ({ choice, outcome }: SettledCall): void => {
    pulled.settled += 1;
    pulled.bytes += outcome.document?.bytes.length ?? 0;
    const isKept = keepsStored(choice, outcome);
    if (isKept && (choice.state === "fetched" || options.refresh)) pulled.notRefreshed += 1;
    else if (outcome.state !== "fetched") pulled.troubled += 1;
    report(log, choice, outcome, isKept);
    progress?.(pulled);
  };

  const fetchOne = async ({ found, choice }: DueCall): Promise<void> => {
    const attempted = await attempt(fetch, found, signal);
    const outcome = giveUpIfOld(attempted.outcome, choice, options.now());
    await commits.add({ found, choice, outcome });
    if (!attempted.temporary) failuresInRow = 0;
    // Those that failed in an earlier run already say nothing new: they must not keep the others from their turn.
    else if (choice.attempts === 0) failuresInRow += 1;
    if (attempted.temporary) temporaryFailures += 1;
    if (attempted.temporary && choice.attempts === 0) newFailures += 1;
    if (failuresInRow >= maxConsecutiveFailures)
      throw new GivenUp(`${maxConsecutiveFailures} calls in a row failed: ${outcome.error?.message}`);
  };

  try {
    await forEachConcurrent(due(options, pulled), concurrency, fetchOne, closing);
  } catch (error) {
    // What was fetched until then is kept; why it ended is told, whatever becomes of that.
    await commits.flush().catch(() => undefined);
    throw error;
  }
  await commits.flush();
  // Where only those failed that failed before, the rest is worth having.
  if (temporaryFailures > 0 && temporaryFailures === pulled.settled && (newFailures > 0 || pulled.known === 0))
    throw new GivenUp(
      `${temporaryFailures === 1 ? "The call could not" : `None of ${temporaryFailures} calls could`} be fetched: the service is out of reach, or throttles.`,
    );
  return pulled;
};

interface DueCall {
  found: FoundCall;
  choice: SelectedItem;
}

/** What came of it. */
interface SettledCall extends DueCall {
  outcome: FetchResult;
}

/** Selects batch by batch and passes on what has to be fetched. */
async function* due(options: PullOptions, pulled: PullProgress): AsyncGenerator<DueCall> {
  const { archive, found, limit, progress, closing } = options;
  for await (const batch of found) {
    // Repeats leave room for more of the same batch.
    for (let rest = batch; rest.length > 0 && !pulled.limited; ) {
      if (closing?.aborted) return;
      const taken = rest.slice(0, (limit ?? Number.POSITIVE_INFINITY) - pulled.selected);
      rest = rest.slice(taken.length);
      const selected = await archive.select(taken.map(({ ref }) => ref));
      for (const { added } of selected) if (added) pulled.selected += 1;
      pulled.limited = pulled.selected === limit;
      for (const [index, choice] of selected.entries()) {
        if (!choice.added) continue;
        const toFetch = callToFetch(taken[index] as FoundCall, choice, options);
        if (!toFetch) pulled.known += 1;
        else if (toFetch.ref.standIn === undefined) yield { found: toFetch, choice };
        else yield { found: await locateListed(archive, choice), choice };
      }
      progress?.(pulled);
    }
    if (pulled.limited) break;
  }
  pulled.complete = true;
}

/** How to ask for a call, or undefined when there is nothing to ask. */
const callToFetch = (
  found: FoundCall,
  choice: SelectedItem,
  { refresh, describe, now }: PullOptions,
): FoundCall | undefined => {
  const isYoung = (): boolean => now().getTime() - choice.seenAt.getTime() < GIVE_UP_MS;
  // What is not JSON may not have been written to its end yet.
  const isFinished = isFinal(choice.state) && !(choice.state === "invalid" && choice.code === "NotJson" && isYoung());
  const settled = isFinished || choice.acknowledged === true;
  if (refresh ? choice.state === "pruned" : settled) {
    const { instanceId, described, state } = choice;
    const lacksDetails = describe && state === "fetched" && !described && !refresh;
    return lacksDetails && instanceId ? { ref: { ...found.ref, instanceId }, describeOnly: true } : undefined;
  }
  return found;
};

/** A call that a stand-in id names: by its own id if that is known by now, else where it was listed. */
const locateListed = async (
  archive: PullOptions["archive"],
  { item, id, instanceId }: SelectedItem,
): Promise<FoundCall> => {
  if (instanceId) return { ref: { instanceId } };
  const listing = await archive.listing(item);
  if (!listing) return { ref: { standIn: id } };
  return { ref: listing, listPage: { ...listing.window, agentId: listing.agentId, page: 1 } };
};

/** A call that is still not finished after so long will not be. */
const giveUpIfOld = (outcome: FetchResult, { seenAt, attempts }: SelectedItem, now: Date): FetchResult => {
  if (outcome.state !== "open" || attempts === 0 || now.getTime() - seenAt.getTime() < GIVE_UP_MS) return outcome;
  const message = "Given up: still not finished, or without a log, after 72 hours.";
  return { ...outcome, state: "missing", error: { code: "GivenUp", message } };
};

/** One bad item never stops the rest: whatever it throws becomes its state, unless nothing else could succeed either. */
const attempt = async (
  fetch: Fetch,
  found: FoundCall,
  signal: AbortSignal | undefined,
): Promise<{ outcome: FetchResult; temporary: boolean }> => {
  try {
    return { outcome: await fetch(found, signal), temporary: false };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (!(error instanceof ArchiveError))
      return { outcome: failed("failed", { code: "Unexpected" }, error), temporary: false };
    if (error.next === "stop") throw error;
    const state = error instanceof NotFound ? "missing" : "failed";
    const temporary = error instanceof Unavailable || error instanceof Throttled;
    return { outcome: failed(state, error.facts, error), temporary };
  }
};

const failed = (state: "missing" | "failed", facts: ErrorFacts, error: unknown): FetchResult => ({
  state,
  error: { ...facts, message: messageOf(error) },
});

/** Whether the archive keeps what it has: a good document is not given up for less, and no document for none. */
const keepsStored = ({ state }: SelectedItem, { state: now, document }: FetchResult): boolean =>
  now !== "fetched" && (state === "fetched" || (state === "invalid" && !document));

const report = (
  log: Log,
  choice: SelectedItem,
  { state, instanceId, document, error }: FetchResult,
  isKept: boolean,
): void => {
  const id = instanceId ?? choice.id;
  if (isKept)
    log("warn", "not-refreshed", {
      id,
      stored: choice.state,
      code: error?.code ?? state,
      message: error?.message ?? "The call is not finished, or its log is not written yet.",
      ...(error?.requestId && { requestId: error.requestId }),
    });
  else if (error)
    log(state === "failed" || state === "invalid" ? "warn" : "info", state, {
      id,
      code: error.code,
      message: error.message,
      ...(error.requestId && { requestId: error.requestId }),
    });
  else log("debug", state, { id, ...(document && { bytes: document.bytes.length }) });
};
