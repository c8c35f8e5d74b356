import type { AppContext } from "../app/context.ts";
import type { Input } from "./command-spec.ts";
import { exitCodes } from "./exit-codes.ts";
import { stopSignals } from "./stop-signals.ts";
import { createProgress } from "./terminal/progress.ts";

/**
Runs a use case. At the first signal, running work is finished and committed.

@param maxDuration seconds, after which it stops in the same way
*/
export const withContext = async <F, T>(
  { io, flags, logger }: Input<F>,
  maxDuration: number | undefined,
  work: (context: AppContext) => Promise<T>,
): Promise<T> => {
  const { log, retries } = logger;
  const { done, ...signals } = stopSignals(io, log, maxDuration);
  const progress = createProgress(io, flags, logger);
  try {
    return await work({ host: io, log, retries, progress, exitCodes, ...signals });
  } finally {
    progress.stop();
    done();
  }
};

/** For a use case that only reads: a signal ends the process at once, and no progress is shown. */
export const readingContext = <F>({ io, logger }: Input<F>): AppContext => {
  const never = new AbortController().signal;
  const { log, retries } = logger;
  const progress = { show: () => {}, stop: () => {} };
  return { host: io, log, retries, progress, exitCodes, closing: never, ending: never };
};
