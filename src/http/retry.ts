import { setTimeout as delay } from "node:timers/promises";
import { ArchiveError, Throttled } from "../core/errors.ts";

const BASE_MS = 300;
const CAP_MS = 30_000;
const RETRY_AFTER_CAP_MS = 120_000;
const FREE_RETRIES = 100;
const RETRIES_PER_SUCCESS = 0.2;
const THROTTLED_BASE_MS = 5_000;
const THROTTLED_CAP_MS = 300_000;

/** The wait before a retry, with full jitter, in milliseconds. `attempt` counts from 0. */
export const backoff = (attempt: number, random: () => number): number =>
  random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);

/** A Retry-After header (seconds or an HTTP date) as milliseconds from `now`, from 0 to 120,000. */
export const retryAfterMs = (header: string | undefined, now: number): number | undefined => {
  const text = header?.trim();
  if (!text) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(RETRY_AFTER_CAP_MS, Math.max(0, ms));
};

/** The names of a request in messages. */
export interface Request {
  /** The API's action, or `download`. */
  action: string;
  /** The requested id, or an address without its query. */
  item?: string | undefined;
}

export interface Retry extends Partial<Request> {
  error: ArchiveError;
  /** The attempt that failed, from 1. */
  attempt: number;
  waitMs: number;
}

export interface RetryOptions {
  /** The names of the request, for `onRetry`. */
  request?: Request | undefined;
  /** Further attempts after the first. @default 6 */
  retries?: number;
  /** Called before each wait. */
  onRetry?: (retry: Retry) => void;
  /** Rejects with the signal's reason when aborted. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  random?: () => number;
  /** Whether the attempt that failed has moved the work forward. Then the count of attempts begins again. @default never */
  madeProgress?: () => boolean;
  /** The common budget of all requests of a run. @default none: `retries` limits throttled attempts too */
  budget?: RetryBudget | undefined;
}

/** Limits the retries of all requests of a run together. */
export interface RetryBudget {
  /** Reports a final answer of the service: success, or an error that a retry cannot change. */
  succeeded(): void;
  /**
  Whether one more attempt after this error is allowed. An allowed attempt counts as used.

  @param failures failed attempts of this request, this one included, throttled ones excluded
  */
  permits(error: ArchiveError, failures: number, retries: number): boolean;
}

/**
How long a run continues while all its calls are throttled, in milliseconds: 5 s with one retry, about twice as long
with each further retry, 5 minutes from six retries on.
*/
export const maxThrottledMs = (retries: number): number =>
  Math.min(THROTTLED_CAP_MS, THROTTLED_BASE_MS * (2 ** retries - 1));

/**
The retries of a run: 100, and one more for every five requests that succeed. So a failing service does not get the full
number of retries for each of many requests. When the budget is used up, every error is final.

Throttled attempts do not count, neither here nor for a request's own `retries`, because the service works and the rate
limiter slows the run down. They end when no call has succeeded for `maxThrottledMs`.

@param now milliseconds; @default performance.now
*/
export const createRetryBudget = (now: () => number = () => performance.now()): RetryBudget => {
  let successes = 0;
  let retriesMade = 0;
  let throttledSince: number | undefined;
  return {
    succeeded: () => {
      successes += 1;
      throttledSince = undefined;
    },
    permits: (error, failures, retries) => {
      if (error instanceof Throttled) {
        throttledSince ??= now();
        return now() - throttledSince < maxThrottledMs(retries);
      }
      if (failures > retries || retriesMade >= FREE_RETRIES + successes * RETRIES_PER_SUCCESS) return false;
      retriesMade += 1;
      return true;
    },
  };
};

/** Rejects with the signal's reason when aborted. */
export const wait = (ms: number, signal?: AbortSignal): Promise<unknown> =>
  delay(ms, undefined, signal && { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });

/**
Repeats `work` while its errors have `next: "retry"`. It waits with full jitter, or as long as the service asks if that
is longer.

Rejects with the last error, or with the signal's reason as soon as it is aborted.
*/
export const retrying = async <T>(
  work: () => Promise<T>,
  { retries = 6, onRetry, sleep = wait, random = Math.random, madeProgress, budget, request }: RetryOptions,
  signal?: AbortSignal,
): Promise<T> => {
  let failures = 0;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      const result = await work();
      budget?.succeeded();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ArchiveError)) throw error;
      if (error.next === "skip" || error.next === "refresh") budget?.succeeded();
      if (error.next !== "retry") throw error;
      const begins = madeProgress?.() ?? false;
      if (begins) [failures, attempt] = [0, 1];
      else if (!(budget && error instanceof Throttled)) failures += 1;
      if (begins) budget?.succeeded();
      else if (budget ? !budget.permits(error, failures, retries) : failures > retries) throw error;
      const waitMs = Math.max(backoff(attempt - 1, random), error.facts.retryAfterMs ?? 0);
      onRetry?.({ ...request, error, attempt, waitMs });
      await sleep(waitMs, signal);
    }
  }
};
