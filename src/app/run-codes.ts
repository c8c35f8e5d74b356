import {
  BadCredentials,
  ClockSkewed,
  Denied,
  GivenUp,
  ReaderGone,
  Throttled,
  Unavailable,
  UsageError,
} from "../core/errors.ts";
import type { ExitCodes, RunOutcome } from "./context.ts";
import { ArchiveBusy } from "./errors.ts";

/** How a run ended, as a number: the archive records it, and the command line exits with it. Scripts rely on these. */
export const EXIT = {
  complete: 0,
  failure: 1,
  usage: 2,
  /** Some items missing, invalid or failed; all others delivered. */
  partial: 3,
  /** Credentials, permission or clock: stopped at once. */
  denied: 4,
  /** Throttled or unreachable, and all retries failed: run again. */
  temporary: 5,
  /** `--max-duration` is reached; the same command continues. */
  timeUp: 10,
  /** Another run holds the archive. */
  busy: 11,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit code of an error that ended a run. */
export const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof ArchiveBusy) return EXIT.busy;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof BadCredentials || error instanceof Denied || error instanceof ClockSkewed) return EXIT.denied;
  if (error instanceof GivenUp || error instanceof Unavailable || error instanceof Throttled) return EXIT.temporary;
  // The reader of our output closed the pipe: that is not a failure.
  if (error instanceof ReaderGone) return EXIT.complete;
  return EXIT.failure;
};

/** The exit code of a run that came to its end. */
export const exitCodeFor = (outcome: RunOutcome): ExitCode =>
  ({ complete: EXIT.complete, partial: EXIT.partial, failed: EXIT.failure })[outcome];

/** How a run ended that another one is to go on from; undefined when it came to its end. */
export const earlyEnd: ExitCodes["earlyEnd"] = (exitCode) => {
  if (exitCode === undefined) return "did not end properly";
  if (exitCode === EXIT.timeUp) return "was stopped by --max-duration";
  const signals: readonly number[] = [EXIT.hungUp, EXIT.interrupted, EXIT.terminated];
  return signals.includes(exitCode) ? "was stopped by a signal" : undefined;
};
