import type { Readable, Writable } from "node:stream";

/** All that a run touches of the process it lives in. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable;
  /** Data only. */
  stdout: Writable & { isTTY?: boolean };
  /** What went wrong when stdout was written; a reader that went away is nothing wrong. */
  stdoutFailure: () => Error | undefined;
  /** Talk. */
  stderr: Writable & { isTTY?: boolean };
  /** Relative paths are resolved against it. */
  cwd: string;
  pid: number;
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
  /** Calls back at each SIGINT and SIGTERM until the returned function is called. */
  onSignal: (heard: (signal: "SIGINT" | "SIGTERM") => void) => () => void;
  /** Ends the process at once: the second signal asks for it. */
  exit: (code: number) => void;
}
