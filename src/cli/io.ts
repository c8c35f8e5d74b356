import type { Writable } from "node:stream";
import type { Host } from "../app/context.ts";

/** What asks a run to end; SIGHUP comes when its terminal is closed. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** All that the command line touches of the process it lives in. */
export interface Io extends Host {
  /** Data only. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  /** What went wrong when stdout was written; a reader that closed the pipe is nothing wrong. */
  stdoutFailure: () => Error | undefined;
  /** Messages. */
  stderr: Writable & { isTTY?: boolean };
  /** Calls back at each of these signals until the returned function is called. */
  onSignal: (heard: (signal: Signal) => void) => () => void;
  /** Ends the process at once: the second signal asks for it. */
  exit: (code: number) => void;
}
