import type { Readable, Writable } from "node:stream";
import type { Log } from "../core/ports.ts";

/** The progress of one stage of a run. */
export interface Step {
  stage: string;
  done: number;
  /** How many of `done` took work; the rate counts only these. @default all */
  worked?: number;
  /** The expected number; absent while it is not known. */
  total?: number;
  troubled: number;
}

/** Shows the progress of a run; `show` is called often. */
export interface Progress {
  show(step: Step): void;
  /** The stage is over. */
  stop(): void;
}

/** The process and the machine that a use case runs on. */
export interface Host {
  env: Readonly<Record<string, string | undefined>>;
  /** Relative paths are resolved against it, and messages show paths relative to it. */
  cwd: string;
  pid: number;
  /** The machine's name. */
  host: string;
  /**
  Identifies where a process id is valid: the boot of the machine and the namespace of process ids, because containers
  have their own. Where the system does not provide this: the time of the boot, to the minute.
  */
  processSpace: string;
  /** Whether a process of this machine runs. */
  isAlive: (pid: number) => boolean;
  /** When a process of this machine started, in units of the system; undefined where the system does not provide it. */
  startOf: (pid: number) => string | undefined;
  /** Without the leading `v`. */
  nodeVersion: string;
  /** How many threads this process may run at once. */
  cores: number;
  /** The clock. */
  now: () => Date;
  /** A random id of this process, in every line of its JSON logs and in the record of its run. */
  runId: string;
  stdin: Readable;
  /** Where an output named `-` goes. */
  stdout: Writable;
  stderr: Writable;
}

/** The outcome of a run. `partial`: some items are missing, invalid or failed, all others are delivered. */
export type RunOutcome = "complete" | "partial" | "failed";

/** The exit codes of the calling process, which are kept in the record of a run. */
export interface ExitCodes {
  of(end: { outcome: RunOutcome } | { error: unknown }): number;
  /** How an earlier run ended before it was done; undefined if it finished. */
  earlyEnd(exitCode: number | undefined): string | undefined;
}

/** What every use case receives besides its request. */
export interface AppContext {
  host: Host;
  /** Logs events; the fields contain no secrets and no signed links. */
  log: Log;
  progress: Progress;
  /** Aborted to stop a run: it starts nothing new, and finishes and commits running work. */
  closing: AbortSignal;
  /** Aborted when stopping takes too long: everything ends at once. */
  ending: AbortSignal;
  exitCodes: ExitCodes;
  /** Counts the requests of this run that were repeated, and how many of these because of throttling. */
  retries: { all: number; throttled: number };
}
