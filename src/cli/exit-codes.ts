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
import type { Holder } from "../core/lock.ts";
import type { Signal } from "./io.ts";

/** What the process says when it ends; scripts rely on these. */
export const EXIT = {
  complete: 0,
  failure: 1,
  usage: 2,
  /** Some items missing, invalid or failed; all others delivered. */
  partial: 3,
  /** Credentials, permission or clock: stopped at once. */
  denied: 4,
  /** Throttled or unreachable beyond the retries: run again. */
  temporary: 5,
  /** `--max-duration` is reached; the same command goes on. */
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
    super(`Stopped after ${seconds} s, as --max-duration says.`);
  }
}

const ADVICE = `--wait 10m waits for it; if it is certain that it is gone, see "callarchive archive unlock".`;

/** Another run holds the archive. */
export class ArchiveBusy extends Error {
  override readonly name = "ArchiveBusy";
  constructor({ pid, host, startedAt, expiresAt }: Holder, advice = ADVICE) {
    super(
      `Another run holds the archive: process ${pid} on ${host}, since ${startedAt} (its lock ends at ${expiresAt} if nothing is heard of it). ${advice}`,
    );
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
  // Whoever reads our output has seen enough: that is not a failure.
  if (error instanceof ReaderGone) return EXIT.complete;
  return EXIT.failure;
};
