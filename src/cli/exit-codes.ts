import type { ExitCodes, RunOutcome } from "../app/context.ts";
import { ArchiveBusy } from "../app/errors.ts";
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
import type { Signal } from "./io.ts";

/** The exit codes of the process; scripts rely on them. */
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

/** A signal asked the run to end. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: ExitCode;
  constructor(signal: Signal) {
    super(`Stopped by ${signal}.`);
    this.exitCode = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hungUp }[signal];
  }
}

/** `--max-duration` is reached. */
export class TimeUp extends Error {
  override readonly name = "TimeUp";
  constructor(seconds: number) {
    super(`Stopped after ${seconds} s because of --max-duration.`);
  }
}

/** The exit code of an error that ended a command. */
export const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof TimeUp) return EXIT.timeUp;
  if (error instanceof ArchiveBusy) return EXIT.busy;
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof BadCredentials || error instanceof Denied || error instanceof ClockSkewed) return EXIT.denied;
  if (error instanceof GivenUp || error instanceof Unavailable || error instanceof Throttled) return EXIT.temporary;
  // The reader of our output closed the pipe: that is not a failure.
  if (error instanceof ReaderGone) return EXIT.complete;
  return EXIT.failure;
};

/** The exit code of a run that finished. */
export const exitCodeFor = (outcome: RunOutcome): ExitCode =>
  ({ complete: EXIT.complete, partial: EXIT.partial, failed: EXIT.failure })[outcome];

/** The exit codes that the archive records for its runs. */
export const exitCodes: ExitCodes = {
  of: (end) => ("outcome" in end ? exitCodeFor(end.outcome) : exitCodeOf(end.error)),
  earlyEnd: (exitCode) => {
    if (exitCode === undefined) return "did not end properly";
    if (exitCode === EXIT.timeUp) return "was stopped by --max-duration";
    const signals: readonly number[] = [EXIT.hungUp, EXIT.interrupted, EXIT.terminated];
    return signals.includes(exitCode) ? "was stopped by a signal" : undefined;
  },
};
