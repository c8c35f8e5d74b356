import { setTimeout as delay } from "node:timers/promises";
import { ArchiveError } from "../core/errors.ts";

const BASE_MS = 300;
const CAP_MS = 30_000;
const RETRY_AFTER_CAP_MS = 120_000;

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

export interface Retry {
  error: ArchiveError;
  /** The attempt that failed, from 1. */
  attempt: number;
  waitMs: number;
}

export interface RetryOptions {
  /** Further attempts after the first. @default 6 */
  retries?: number;
  /** Told before each wait; a run slows down by it. */
  onRetry?: (retry: Retry) => void;
  /** Rejects with the signal's reason when aborted. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  random?: () => number;
}

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
  { retries = 6, onRetry, sleep = wait, random = Math.random }: RetryOptions,
  signal?: AbortSignal,
): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ArchiveError) || error.next !== "retry" || attempt > retries) throw error;
      const waitMs = Math.max(backoff(attempt - 1, random), error.facts.retryAfterMs ?? 0);
      onRetry?.({ error, attempt, waitMs });
      await sleep(waitMs, signal);
    }
  }
};
