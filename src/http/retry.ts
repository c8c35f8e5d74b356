import { setTimeout as delay } from "node:timers/promises";
import { ArchiveError, Throttled } from "../core/errors.ts";

const BASE_MS = 300;
const CAP_MS = 30_000;
const RETRY_AFTER_CAP_MS = 120_000;
const FREE_RETRIES = 100;
const RETRIES_PER_SUCCESS = 0.2;
const THROTTLED_BASE_MS = 5_000;
const THROTTLED_CAP_MS = 300_000;

/** Full jitter, in milliseconds; `attempt` counts from 0. */
export const backoff = (attempt: number, random: () => number): number =>
  random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);

/** Reads a Retry-After header, seconds or an HTTP date, as milliseconds from `now`: 0 to 120,000. */
export const retryAfterMs = (header: string | undefined, now: number): number | undefined => {
  const text = header?.trim();
  if (!text) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(RETRY_AFTER_CAP_MS, Math.max(0, ms));
};

/** What a request is for, in messages. */
export interface Request {
  /** The API's name of it, or `download`. */
  action: string;
  /** What it asks for: an id, or an address without its query. */
  item?: string | undefined;
}

export interface Retry extends Partial<Request> {
  error: ArchiveError;
  /** The attempt that failed, from 1. */
  attempt: number;
  waitMs: number;
}

export interface RetryOptions {
  /** What is repeated. */
  request?: Request | undefined;
  /** Further attempts after the first. @default 6 */
  retries?: number;
  /** Told before each wait; a run slows down by it. */
  onRetry?: (retry: Retry) => void;
  /** Rejects with the signal's reason when aborted. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  random?: () => number;
  /** Of all requests of a run. @default none: only `retries` counts, for throttled attempts too */
  budget?: RetryBudget | undefined;
}

/** What all requests of a run may repeat together. */
export interface RetryBudget {
  /** The service did what it was asked, or said that it cannot be done. */
  succeeded(): void;
  /**
  Whether one more attempt after this error is permitted; a yes counts as made.

  @param failures attempts of this request that failed for other reasons than throttling, this one included
  */
  permits(error: ArchiveError, failures: number, retries: number): boolean;
}

/**
How long a run in which nothing gets through goes on after it was first throttled, in milliseconds: 5 s with one retry,
about twice as long with each further one, 5 minutes from six on.
*/
export const maxThrottledMs = (retries: number): number =>
  Math.min(THROTTLED_CAP_MS, THROTTLED_BASE_MS * (2 ** retries - 1));

/**
The retries of a run: 100, and one more for every five requests that succeed, so that a broken service is not hammered by
each of many requests in turn. Once they are used up every error is final.

Throttling is another matter: the service works, and the pace of the run sees to the rest. Throttled attempts count
neither here nor against a request's own `retries`; they end when nothing has got through for `patienceMs`.

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
Repeats `work` while its errors say `retry`, waiting by full jitter or as long as the service asks, whichever is longer.

Rejects with the last error, or with the signal's reason as soon as it is aborted.
*/
export const retrying = async <T>(
  work: () => Promise<T>,
  { retries = 6, onRetry, sleep = wait, random = Math.random, budget, request }: RetryOptions,
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
      if (!(budget && error instanceof Throttled)) failures += 1;
      if (budget ? !budget.permits(error, failures, retries) : failures > retries) throw error;
      const waitMs = Math.max(backoff(attempt - 1, random), error.facts.retryAfterMs ?? 0);
      onRetry?.({ ...request, error, attempt, waitMs });
      await sleep(waitMs, signal);
    }
  }
};
