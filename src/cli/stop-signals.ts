import { DRAIN_MS } from "../app/defaults.ts";
import type { Log } from "../core/ports.ts";
import { Interrupted, TimeUp } from "./exit-codes.ts";
import type { Io } from "./io.ts";

/** The longest delay of a Node timer, in milliseconds: about 24 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
Turns signals of the process and `--max-duration` into abort signals.

The first signal aborts `closing`; `ending` is aborted 30 s later; a second signal ends the process at once.
*/
export const stopSignals = (
  io: Pick<Io, "onSignal" | "exit">,
  log: Log,
  maxSeconds: number | undefined,
): { closing: AbortSignal; ending: AbortSignal; done: () => void } => {
  const closing = new AbortController();
  const ending = new AbortController();
  let reason: Interrupted | TimeUp | undefined;
  let timer: NodeJS.Timeout | undefined;
  const stop = (why: Interrupted | TimeUp): void => {
    reason = why;
    log("warn", "stopping", { reason: why.message, drainSeconds: DRAIN_MS / 1000 });
    closing.abort(why);
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(why), DRAIN_MS).unref();
  };
  if (maxSeconds !== undefined)
    timer = setTimeout(() => stop(new TimeUp(maxSeconds)), Math.min(maxSeconds * 1000, LONGEST_MS)).unref();
  const unsubscribe = io.onSignal((signal) => {
    if (reason instanceof Interrupted) io.exit(reason.exitCode);
    else stop(new Interrupted(signal));
  });
  return {
    closing: closing.signal,
    ending: ending.signal,
    done: () => {
      clearTimeout(timer);
      unsubscribe();
    },
  };
};
