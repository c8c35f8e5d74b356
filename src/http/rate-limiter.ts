import { setMaxListeners } from "node:events";
import { ArchiveError, Throttled } from "../core/errors.ts";
import { createCongestionControl, type SentRequest } from "./congestion-control.ts";
import { wait } from "./retry.ts";

/**
How far behind its time a call may be sent and still be made up for, in milliseconds: timers are late, and at thousands of
calls per second several are due at each tick. Anything beyond would be a burst.
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
  /** When the next call may be sent, evenly spaced and first come, first served. Rejects with the signal's reason. */
  turn(signal?: AbortSignal): Promise<SentRequest>;
  /** The service refused the call for its quota. */
  throttled(sent: SentRequest): void;
  /** The service answered the call. */
  ok(sent: SentRequest): void;
  /** Calls per second, at present. */
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
    // A tenth of jitter: processes that were started together do not send in step.
    const spacing = (1000 / rate.perSecond()) * (0.9 + 0.2 * random());
    nextAt = Math.max(nextAt, now() - CATCH_UP_MS) + spacing;
    return rate.sent(waited);
  };
  const sendWaiting = async (): Promise<void> => {
    isSending = true;
    while (queue.size > 0) {
      const waitMs = nextAt - now();
      // Rejects only when nobody is waiting any more.
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
        // A whole run shares one signal, and Node warns on stderr from the eleventh listener on.
        if (signal) setMaxListeners(0, signal);
        signal?.addEventListener("abort", leave, { once: true });
        queue.add(waiting);
        if (!isSending) void sendWaiting();
      });
    },
  };
};

/** One attempt of a call in its turn, with what comes of it told to the rateLimiter. */
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
    // A call that does not exist was answered too; a broken connection says nothing about the quota.
    else if (error instanceof ArchiveError && error.next === "skip") rateLimiter.ok(sent);
    throw error;
  }
};
