import type { Archive } from "./archive.ts";
import { ArchiveError, type ErrorFacts, GivenUp, messageOf, NotFound, Throttled, Unavailable } from "./errors.ts";
import { inBatches } from "./flow/batches.ts";
import { forEachConcurrent } from "./flow/pool.ts";
import type { Fetch, FetchResult, FoundCall, Log } from "./ports.ts";
import type { Outcome, SelectedItem } from "./records.ts";
import { isFinal } from "./state.ts";

/** How long an unfinished call is requested again, in milliseconds. */
export const GIVE_UP_MS = 72 * 3_600_000;

/** Documents of one commit, in bytes. */
const COMMIT_BYTES = 4 * 1024 * 1024;
/**
Calls of one commit, as a multiple of `concurrency`. A killed run has to fetch up to twice as many again, because one
batch may wait while another is written.
*/
const COMMIT_ROUNDS = 4;
/** A smaller commit is written after this time, in milliseconds. */
const COMMIT_MS = 250;

export interface PullOptions {
  archive: Pick<Archive, "select" | "listing" | "commit">;
  /** The selection, in batches. */
  found: AsyncIterable<FoundCall[]>;
  fetch: Fetch;
  /** Documents in transfer at one time. */
  concurrency: number;
  /** Fetch stored calls again. */
  refresh?: boolean;
  /** Describe stored calls that were only listed. */
  describe?: boolean;
  /** Stop after this many calls were selected. */
  limit?: number;
  /**
  The run ends after this many items in a row failed with a temporary error.

  @default 20
  */
  maxConsecutiveFailures?: number;
  now: () => Date;
  /** Stops the intake; running fetches are finished and committed. */
  closing?: AbortSignal;
  /** Ends everything at once. */
  signal?: AbortSignal;
  log: Log;
  /** Called after each settled item. */
  progress?: (pulled: PullProgress) => void;
}

/** The progress of a pull, and at the end its result. */
export interface PullProgress {
  /** Distinct calls selected so far. */
  selected: number;
  /** Of the selected calls, those stored before and not requested again. */
  known: number;
  /** Of the selected calls, those that this run has settled, in any state. */
  settled: number;
  /** Settled without a document. */
  troubled: number;
  /** Calls whose refresh failed: the stored document stays. */
  notRefreshed: number;
  /** Bytes of documents fetched. */
  bytes: number;
  /** True when `limit` ended the selection. */
  limited: boolean;
  /** True when the selection was read to its end. */
  complete: boolean;
}

/**
Fetches every selected call that is not settled, and records it after its bytes are stored.

@throws ArchiveError that stops the run (credentials, permission, clock)
@throws GivenUp when the service is not reachable or throttles
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

  /** Counts an item, only after its commit. */
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
    // Items that failed in an earlier run do not count: they must not end the run before new items are tried.
    else if (choice.attempts === 0) failuresInRow += 1;
    if (attempted.temporary) temporaryFailures += 1;
    if (attempted.temporary && choice.attempts === 0) newFailures += 1;
    if (failuresInRow >= maxConsecutiveFailures)
      throw new GivenUp(`${maxConsecutiveFailures} calls in a row failed: ${outcome.error?.message}`);
  };

  try {
    await forEachConcurrent(due(options, pulled), concurrency, fetchOne, closing);
  } catch (error) {
    // Keeps what was fetched. The first error is thrown, even when this commit fails too.
    await commits.flush().catch(() => undefined);
    throw error;
  }
  await commits.flush();
  // When only items failed that failed before, the stored calls are still worth exporting.
  if (temporaryFailures > 0 && temporaryFailures === pulled.settled && (newFailures > 0 || pulled.known === 0))
    throw new GivenUp(
      `${temporaryFailures === 1 ? "The call could not" : `None of ${temporaryFailures} calls could`} be fetched: the service is not reachable, or throttles. Run the same command again later.`,
    );
  return pulled;
};

interface DueCall {
  found: FoundCall;
  choice: SelectedItem;
}

/** A call with the result of its fetch. */
interface SettledCall extends DueCall {
  outcome: FetchResult;
}

/** Selects the calls batch by batch and yields those that have to be fetched. */
async function* due(options: PullOptions, pulled: PullProgress): AsyncGenerator<DueCall> {
  const { archive, found, limit, progress, closing } = options;
  for await (const batch of found) {
    // Calls that were selected before do not count for `limit`, so the batch may take several turns.
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

/** The call as it has to be fetched; undefined when there is nothing to fetch. */
const callToFetch = (
  found: FoundCall,
  choice: SelectedItem,
  { refresh, describe, now }: PullOptions,
): FoundCall | undefined => {
  const isYoung = (): boolean => now().getTime() - choice.seenAt.getTime() < GIVE_UP_MS;
  // A log that is not JSON may not be completely written yet.
  const isFinished = isFinal(choice.state) && !(choice.state === "invalid" && choice.code === "NotJson" && isYoung());
  const settled = isFinished || choice.acknowledged === true;
  if (refresh ? choice.state === "pruned" : settled) {
    const { instanceId, described, state } = choice;
    const lacksDetails = describe && state === "fetched" && !described && !refresh;
    return lacksDetails && instanceId ? { ref: { ...found.ref, instanceId }, describeOnly: true } : undefined;
  }
  return found;
};

/** A call with a stand-in id: by its instance id when that is known, else by where it was listed. */
const locateListed = async (
  archive: PullOptions["archive"],
  { item, id, instanceId }: SelectedItem,
): Promise<FoundCall> => {
  if (instanceId) return { ref: { instanceId } };
  const listing = await archive.listing(item);
  if (!listing) return { ref: { standIn: id } };
  return { ref: listing, listPage: { ...listing.window, agentId: listing.agentId, page: 1 } };
};

/** Marks a call as missing when it is still not finished after `GIVE_UP_MS`. */
const giveUpIfOld = (outcome: FetchResult, { seenAt, attempts }: SelectedItem, now: Date): FetchResult => {
  if (outcome.state !== "open" || attempts === 0 || now.getTime() - seenAt.getTime() < GIVE_UP_MS) return outcome;
  const message = "Given up: still not finished, or without a log, after 72 hours.";
  return { ...outcome, state: "missing", error: { code: "GivenUp", message } };
};

/** Turns an error into the item's state, so that it does not stop the others. Errors that stop the run are thrown. */
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

/** Whether the archive keeps its document: a failed fetch never replaces a stored document. */
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
