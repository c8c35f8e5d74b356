import type { Readable, Writable } from "node:stream";

/** What asks a run to end; SIGHUP comes when its terminal is closed. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** All that a run touches of the process it lives in. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable;
  /** Data only. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  /** What went wrong when stdout was written; a reader that went away is nothing wrong. */
  stdoutFailure: () => Error | undefined;
  /** Talk. */
  stderr: Writable & { isTTY?: boolean };
  /** Relative paths are resolved against it. */
  cwd: string;
  pid: number;
  /** Of this process, random: in every line of its JSON logs and in the record of its run. */
  runId: string;
  host: string;
  /**
  Where process ids mean something: the machine's boot and its namespace of process ids, as containers have their own.
  The time of the boot, to the minute, where the system does not tell more.
  */
  processSpace: string;
  /** Whether a process of this host runs. */
  isAlive: (pid: number) => boolean;
  /** When a process of this host began, in a measure of the system's own; undefined where the system does not tell. */
  startOf: (pid: number) => string | undefined;
  /** Without the leading `v`. */
  nodeVersion: string;
  /** How many threads this process may run at once. */
  cores: number;
  now: () => Date;
  /** Calls back at each of these signals until the returned function is called. */
  onSignal: (heard: (signal: Signal) => void) => () => void;
  /** Ends the process at once: the second signal asks for it. */
  exit: (code: number) => void;
}
