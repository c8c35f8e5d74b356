import type { ExitCodes } from "../app/context.ts";
import { EXIT, type ExitCode, earlyEnd, exitCodeFor, exitCodeOf as exitCodeOfError } from "../app/run-codes.ts";
import type { Signal } from "./io.ts";

export { EXIT, type ExitCode, exitCodeFor } from "../app/run-codes.ts";

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
  return error instanceof TimeUp ? EXIT.timeUp : exitCodeOfError(error);
};

/** The numbers that runs leave in the archive's record. */
export const exitCodes: ExitCodes = {
  of: (end) => ("outcome" in end ? exitCodeFor(end.outcome) : exitCodeOf(end.error)),
  earlyEnd,
};
