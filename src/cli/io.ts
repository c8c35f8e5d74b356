import type { Writable } from "node:stream";
import type { Host } from "../app/context.ts";

/** Signals that stop a run; SIGHUP is sent when its terminal is closed. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Everything that the command line uses of its process. */
export interface Io extends Host {
  /** Data only. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  /** The first error of writing to stdout, except that the reader closed the pipe. */
  stdoutFailure: () => Error | undefined;
  /** Messages. */
  stderr: Writable & { isTTY?: boolean };
  /** Calls `listener` at each signal until the returned function is called. */
  onSignal: (listener: (signal: Signal) => void) => () => void;
  /** Ends the process at once, at the second signal. */
  exit: (code: number) => void;
}
