import { Throttled } from "../core/errors.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { AppContext } from "./context.ts";

/** A period of throttling ends when nothing was throttled for this long, in milliseconds. */
const PERIOD_MS = 30_000;

/** After this long, in milliseconds, the rate limiter has found the rate that the service accepts. */
const FINDING_MS = 1_000;
/** A rate below this share of the highest rate has been reduced. */
const REDUCED = 0.9;

/** A request that failed and is about to be repeated. */
export interface RetriedRequest {
  action?: string;
  item?: string | undefined;
  error: { message: string; facts: { code: string } };
  attempt: number;
  waitMs: number;
}

/**
Logs repeated requests: each one at debug level, and throttling once per period, because it explains why a run is slow.
A period with a single refusal is only counted.

@param rate the current number of API requests per second
*/
export const createRetryReporter = (
  { log, retries, host }: Pick<AppContext, "host" | "log" | "retries">,
  rate: () => number,
) => {
  let throttled = 0;
  const periods = new Map<string, { start: number; last: number; highest: number; reported: boolean }>();
  const reportThrottling = (action: string | undefined, message: string): void => {
    const isApi = action !== "download";
    const at = host.now().getTime();
    const before = periods.get(isApi ? "api" : "download");
    const isOver = !before || at - before.last >= PERIOD_MS;
    const period = isOver ? { start: at, last: at, highest: 0, reported: false } : before;
    periods.set(isApi ? "api" : "download", period);
    period.last = at;
    period.highest = Math.max(period.highest, rate());
    const isFound = !isApi || rate() < REDUCED * period.highest || at - period.start >= FINDING_MS;
    if (period.reported || !isFound) return;
    period.reported = true;
    const perSecond = rate() < 10 ? Math.round(rate() * 10) / 10 : Math.round(rate());
    log("info", "throttled", isApi ? { perSecond, message } : { message });
  };
  return {
    throttled: (): number => throttled,
    onRetry: ({ action, item, error, attempt, waitMs }: RetriedRequest): void => {
      const { message, facts } = error;
      const fields: JsonObject = { ...(action && { action }), ...(item && { item }), code: facts.code, message };
      log("debug", "retry", { ...fields, attempt, waitMs: Math.round(waitMs) });
      retries.all += 1;
      if (!(error instanceof Throttled)) return;
      retries.throttled += 1;
      throttled += 1;
      reportThrottling(action, message);
    },
  };
};
