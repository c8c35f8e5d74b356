import type { Readable, Writable } from "node:stream";

/** What asks a run to end; SIGHUP comes when its terminal is closed. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** All that a run touches of the process it lives in. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  stdin: Readable;
  /** Data only. */
  stdout: Writable & { isTTY?: boolean; columns?: number };
  /** Talk. */
  stderr: Writable & { isTTY?: boolean };
  /** Relative paths are resolved against it. */
  cwd: string;
  pid: number;
  /** Of this process, random: in every line of its JSON logs and in the record of its run. */
  runId: string;
  host: string;
  /** Whether a process of this host runs. */
  isAlive: (pid: number) => boolean;
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
