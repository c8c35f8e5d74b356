import type { Readable, Writable } from "node:stream";
import type { Log } from "../core/ports.ts";

/** How far a stage of a run is. */
export interface Step {
  stage: string;
  done: number;
  /** Of those, what took work: the rate is of these. @default all */
  worked?: number;
  /** How many there will be; absent while that is not known. */
  total?: number;
  troubled: number;
}

/** Shows how far a run is; called often. */
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
  Where process ids mean something: the machine's boot and its namespace of process ids, as containers have their own.
  The time of the boot, to the minute, where the system does not tell more.
  */
  processSpace: string;
  /** Whether a process of this machine runs. */
  isAlive: (pid: number) => boolean;
  /** When a process of this machine began, in a measure of the system's own; undefined where the system does not tell. */
  startOf: (pid: number) => string | undefined;
  /** Without the leading `v`. */
  nodeVersion: string;
  /** How many threads this process may run at once. */
  cores: number;
  /** The clock. */
  now: () => Date;
  /** Of this process, random: in every line of its JSON logs and in the record of its run. */
  runId: string;
  stdin: Readable;
  /** Where an output named `-` goes. */
  stdout: Writable;
  stderr: Writable;
}

/** How a run came out: `partial` means that some items are missing, invalid or failed; all others are delivered. */
export type RunOutcome = "complete" | "partial" | "failed";

/** Numbers for how runs end, as the caller's process will say them; they are kept in the record of the run. */
export interface ExitCodes {
  of(end: { outcome: RunOutcome } | { error: unknown }): number;
  /** How a run ended that another one is to go on from; undefined when it came to its end. */
  earlyEnd(exitCode: number | undefined): string | undefined;
}

/** What every use case gets besides its request. */
export interface AppContext {
  host: Host;
  /** Events; fields hold no secret and no signed link. */
  log: Log;
  progress: Progress;
  /** Aborted by whoever wants the run to end: nothing new is taken in, what runs is finished and committed. */
  closing: AbortSignal;
  /** Aborted when that takes too long: everything ends at once. */
  ending: AbortSignal;
  exitCodes: ExitCodes;
  /** Requests of this run that were made again, and those of them that the service had throttled; counted here. */
  retries: { all: number; throttled: number };
}
