import { ArchiveError, type ErrorFacts, messageOf, NotFound, Throttled, Unavailable } from "./errors.ts";
import { forEachConcurrent } from "./pool.ts";
import type { Archive, Fetch, Fetched, Found, Log, Outcome, Selected } from "./ports.ts";

export interface PullOptions {
  archive: Archive;
  /** The selection, in batches. */
  found: AsyncIterable<Found[]>;
  fetch: Fetch;
  /** Documents under way at once. */
  concurrency: number;
  /** Fetch again what is stored. */
  refresh?: boolean;
  /** Stop after this many calls were selected. */
  limit?: number;
  /**
  The run ends after this many items in a row failed for reasons that should have passed.

  @default 20
  */
  patience?: number;
  /** Ends the intake; what is under way is finished and committed. */
  closing?: AbortSignal;
  /** Ends everything at once. */
  signal?: AbortSignal;
  log: Log;
  /** Told after each settled item. */
  progress?: (pulled: Pulled) => void;
}

/** How far a pull is, and at the end what it did. */
export interface Pulled {
  /** Distinct calls selected so far. */
  selected: number;
  /** Of those, stored before and not asked for again. */
  known: number;
  /** Of those, settled now, whatever came of them. */
  settled: number;
  /** Settled without a document. */
  troubled: number;
  /** Bytes of documents fetched. */
  bytes: number;
  /** True when `limit` cut the selection. */
  limited: boolean;
  /** True when the whole selection is known. */
  complete: boolean;
}

/** The service stayed out of reach beyond the retries: run again later. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

/**
Brings the selection into the archive: every call that is not settled there is fetched, and recorded after its bytes are.

@throws the `ArchiveError` that stops everything (credentials, permission, clock), or `GivenUp`.
*/
export const pull = async (options: PullOptions): Promise<Pulled> => {
  const { archive, fetch, concurrency, closing, signal, log, progress, patience = 20 } = options;
  const pulled: Pulled = { selected: 0, known: 0, settled: 0, troubled: 0, bytes: 0, limited: false, complete: false };
  const commit = inBatches((outcomes: Outcome[]) => archive.commit(outcomes));
  let failuresInRow = 0;

  const one = async ({ found, item }: Due): Promise<void> => {
    const fetched = await attempt(fetch, found, signal);
    await commit({ item, ...fetched.outcome });
    pulled.settled += 1;
    pulled.bytes += fetched.outcome.document?.bytes.length ?? 0;
    if (fetched.outcome.state !== "fetched") pulled.troubled += 1;
    report(log, found, fetched.outcome);
    progress?.(pulled);
    failuresInRow = fetched.temporary ? failuresInRow + 1 : 0;
    if (failuresInRow >= patience)
      throw new GivenUp(`${patience} calls in a row failed: ${fetched.outcome.error?.message ?? "no answer"}`);
  };

  await forEachConcurrent(due(options, pulled), concurrency, one, closing);
  return pulled;
};

interface Due {
  found: Found;
  item: number;
}

/** Selects batch by batch and passes on what has to be fetched. */
async function* due({ archive, found, refresh, limit, progress }: PullOptions, pulled: Pulled): AsyncGenerator<Due> {
  for await (const batch of found) {
    // Repeats leave room for more of the same batch.
    for (let rest = batch; rest.length > 0 && !pulled.limited; ) {
      const taken = rest.slice(0, (limit ?? Number.POSITIVE_INFINITY) - pulled.selected);
      rest = rest.slice(taken.length);
      const selected = await archive.select(taken.map(({ ref }) => ref));
      const fresh = taken.flatMap((entry, index) => {
        const choice = selected[index];
        return choice?.added ? [{ found: entry, ...choice }] : [];
      });
      pulled.selected += fresh.length;
      pulled.limited = pulled.selected === limit;
      for (const { state, ...entry } of fresh) {
        if (refresh || !settled(state)) yield entry;
        else pulled.known += 1;
      }
      progress?.(pulled);
    }
    if (pulled.limited) break;
  }
  pulled.complete = true;
}

const settled = (state: Selected["state"]): boolean => state === "fetched" || state === "invalid";

/** One bad item never stops the rest: whatever it throws becomes its state, unless nothing else could succeed either. */
const attempt = async (
  fetch: Fetch,
  found: Found,
  signal: AbortSignal | undefined,
): Promise<{ outcome: Fetched; temporary: boolean }> => {
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

const failed = (state: "missing" | "failed", facts: ErrorFacts, error: unknown): Fetched => ({
  state,
  error: { ...facts, message: messageOf(error) },
});

const report = (log: Log, { ref }: Found, { state, instanceId, document, error }: Fetched): void => {
  const id = instanceId ?? ref.instanceId ?? ref.link ?? "";
  if (error)
    log(state === "failed" || state === "invalid" ? "warn" : "info", state, {
      id,
      code: error.code,
      message: error.message,
      ...(error.requestId && { requestId: error.requestId }),
    });
  else log("debug", state, { id, ...(document && { bytes: document.bytes.length }) });
};

/**
Collects what arrives while a write is under way into the next one.

The caller's promise settles when its own piece is written, so at most one piece a worker is ever held.
*/
const inBatches = <T>(write: (batch: T[]) => Promise<void>): ((piece: T) => Promise<void>) => {
  let waiting: T[] = [];
  let next: Promise<void> | undefined;
  let current: Promise<void> = Promise.resolve();
  return (piece) => {
    waiting.push(piece);
    next ??= current
      .catch(() => undefined) // Its own callers were told.
      .then(() => {
        const batch = waiting;
        waiting = [];
        next = undefined;
        current = write(batch);
        return current;
      });
    return next;
  };
};
