import { setMaxListeners } from "node:events";
import { ArchiveError, Throttled } from "../core/errors.ts";
import { createCongestionControl, type SentRequest } from "./congestion-control.ts";
import { wait } from "./retry.ts";

/**
How much delay is made up for, in milliseconds. Timers are late, so at thousands of calls per second several calls are
due at each tick. Making up for more would be a burst.
*/
const CATCH_UP_MS = 20;

export interface RateLimiterOptions {
  /** Never more calls per second than this. @default no limit */
  tps?: number | undefined;
  /** Milliseconds; the clock must not jump. @default performance.now */
  now?: () => number;
  /** Rejects with the signal's reason when aborted. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  random?: () => number;
}

/** The rate of all API calls of a run. */
export interface RateLimiter {
  /** Resolves when the call may be sent: in order of request, evenly spaced. Rejects with the signal's reason. */
  turn(signal?: AbortSignal): Promise<SentRequest>;
  /** Reports that the service refused the call because of its quota. */
  throttled(sent: SentRequest): void;
  /** Reports that the service answered the call. */
  ok(sent: SentRequest): void;
  /** The current rate, in calls per second. */
  rate(): number;
}

interface Waiting {
  start(sent: SentRequest): void;
}

export const createRateLimiter = ({
  tps,
  now = () => performance.now(),
  sleep = wait,
  random = Math.random,
}: RateLimiterOptions = {}): RateLimiter => {
  const rate = createCongestionControl({ now, ...(tps !== undefined && { ceiling: tps }) });
  const queue = new Set<Waiting>();
  let waitingAborted = new AbortController();
  let isSending = false;
  let nextAt = 0;

  const send = (waited: boolean): SentRequest => {
    // 10 % jitter, so that processes that started together do not send at the same times.
    const spacing = (1000 / rate.perSecond()) * (0.9 + 0.2 * random());
    nextAt = Math.max(nextAt, now() - CATCH_UP_MS) + spacing;
    return rate.sent(waited);
  };
  const sendWaiting = async (): Promise<void> => {
    isSending = true;
    while (queue.size > 0) {
      const waitMs = nextAt - now();
      // Rejects only when no call waits any more.
      if (waitMs > 0) await sleep(waitMs, waitingAborted.signal).catch(() => undefined);
      for (const waiting of queue) {
        if (nextAt > now()) break;
        queue.delete(waiting);
        waiting.start(send(true));
      }
    }
    isSending = false;
  };

  return {
    rate: rate.perSecond,
    ok: rate.accepted,
    throttled: rate.refused,
    turn: async (signal) => {
      signal?.throwIfAborted();
      if (queue.size === 0 && nextAt <= now()) return send(false);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          queue.delete(waiting);
          reject(signal?.reason);
          if (queue.size > 0) return;
          waitingAborted.abort();
          waitingAborted = new AbortController();
        };
        const waiting: Waiting = {
          start: (sent) => {
            signal?.removeEventListener("abort", leave);
            resolve(sent);
          },
        };
        // All calls of a run share one signal, and Node warns on stderr from the eleventh listener on.
        if (signal) setMaxListeners(0, signal);
        signal?.addEventListener("abort", leave, { once: true });
        queue.add(waiting);
        if (!isSending) void sendWaiting();
      });
    },
  };
};

/** Waits for the call's turn, makes one attempt, and reports the result to the rate limiter. */
export const rateLimited = async <T>(
  rateLimiter: RateLimiter | undefined,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> => {
  if (!rateLimiter) return attempt();
  const sent = await rateLimiter.turn(signal);
  try {
    const result = await attempt();
    rateLimiter.ok(sent);
    return result;
  } catch (error) {
    if (error instanceof Throttled) rateLimiter.throttled(sent);
    // "Not found" is an answer too; a broken connection says nothing about the quota.
    else if (error instanceof ArchiveError && error.next === "skip") rateLimiter.ok(sent);
    throw error;
  }
};
