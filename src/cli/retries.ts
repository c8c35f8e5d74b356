import { Throttled } from "../core/errors.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { Talk } from "./log.ts";

/** A spell of throttling ends when nothing was throttled for so long, in milliseconds. */
const SPELL_MS = 30_000;

/** A request that failed and is about to be made again. */
interface Retried {
  action?: string;
  item?: string | undefined;
  error: { message: string; facts: { code: string } };
  attempt: number;
  waitMs: number;
}

/**
Tells of requests that are made again: each one with `-v`, and throttling once per spell in any case, because it explains
why a run is slow.

@param rate requests to the API a second, at present
*/
export const createRetryTeller = (
  { log, retries }: Pick<Talk, "log" | "retries">,
  rate: () => number,
  now: () => Date,
) => {
  let throttled = 0;
  const last = new Map<string, number>();
  const tellSpell = (action: string | undefined, message: string): void => {
    const kind = action === "download" ? "download" : "api";
    const at = now().getTime();
    const isNew = at - (last.get(kind) ?? Number.NEGATIVE_INFINITY) >= SPELL_MS;
    last.set(kind, at);
    if (!isNew) return;
    const perSecond = rate() < 10 ? Math.round(rate() * 10) / 10 : Math.round(rate());
    log("info", "throttled", kind === "api" ? { perSecond, message } : { message });
  };
  return {
    throttled: (): number => throttled,
    onRetry: ({ action, item, error, attempt, waitMs }: Retried): void => {
      const { message, facts } = error;
      const fields: JsonObject = { ...(action && { action }), ...(item && { item }), code: facts.code, message };
      log("debug", "retry", { ...fields, attempt, waitMs: Math.round(waitMs) });
      retries.all += 1;
      if (!(error instanceof Throttled)) return;
      retries.throttled += 1;
      throttled += 1;
      tellSpell(action, message);
    },
  };
};
