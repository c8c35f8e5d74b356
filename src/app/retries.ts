import { Throttled } from "../core/errors.ts";
import type { JsonObject } from "../core/transcript.ts";
import type { AppContext } from "./context.ts";

/** A spell of throttling ends when nothing was throttled for so long, in milliseconds. */
const SPELL_MS = 30_000;

/** In that time, in milliseconds, the pace has found the rate that the service takes: the one worth reporting. */
const FINDING_MS = 1_000;
/** A rate this much below the highest has been cut. */
const CUT = 0.9;

/** A request that failed and is about to be made again. */
interface RetriedRequest {
  action?: string;
  item?: string | undefined;
  error: { message: string; facts: { code: string } };
  attempt: number;
  waitMs: number;
}

/**
Logs requests that are made again: each one at debug level, and throttling once per spell, because it explains
why a run is slow. A spell of a single refusal is only counted.

@param rate requests to the API a second, at present
*/
export const createRetryReporter = (
  { log, retries, host }: Pick<AppContext, "host" | "log" | "retries">,
  rate: () => number,
) => {
  let throttled = 0;
  const spells = new Map<string, { began: number; last: number; highest: number; reported: boolean }>();
  const reportSpell = (action: string | undefined, message: string): void => {
    const isApi = action !== "download";
    const at = host.now().getTime();
    const before = spells.get(isApi ? "api" : "download");
    const isOver = !before || at - before.last >= SPELL_MS;
    const spell = isOver ? { began: at, last: at, highest: 0, reported: false } : before;
    spells.set(isApi ? "api" : "download", spell);
    spell.last = at;
    spell.highest = Math.max(spell.highest, rate());
    const isFound = !isApi || rate() < CUT * spell.highest || at - spell.began >= FINDING_MS;
    if (spell.reported || !isFound) return;
    spell.reported = true;
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
      reportSpell(action, message);
    },
  };
};
