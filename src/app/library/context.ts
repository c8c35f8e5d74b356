import { randomBytes } from "node:crypto";
import { availableParallelism, hostname } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { Log } from "../../core/ports.ts";
import type { AppContext, ExitCodes, Host, Step } from "../context.ts";
import { DRAIN_MS } from "../defaults.ts";
import { isAlive, processSpace, startOf } from "../machine.ts";
import { EXIT, earlyEnd, exitCodeFor, exitCodeOf } from "../run-codes.ts";

/** What is needed of a process; Node's own `process` is one. */
export interface ProcessLike {
  env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
  pid: number;
  versions: { node: string };
  kill(pid: number, signal: 0): boolean;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
}

export interface ContextOptions {
  /**
  Told of each event. Its fields hold no secret and no signed link; `debug` has one per call and per retry.

  @default nothing is logged
  */
  log?: Log;
  /**
  Aborting it ends a run in order: nothing new begins, what runs is finished and committed, and the run rejects with the
  signal's reason. The same request goes on from there.

  @default a run is never stopped
  */
  signal?: AbortSignal;
  /** How long running work may still take after that, in milliseconds. @default 30_000 */
  drainMs?: number;
  /** Told how far a run is; called often. @default nobody is */
  onProgress?: (step: Step) => void;
  /** The clock. @default the system's */
  now?: () => Date;
}

/**
What every run needs besides its request; one serves as many runs as you like, one after another or at once.

It sets no exit code, listens to no signal of the process, and writes to its streams only where an output names them.
*/
export const createContext = (node: ProcessLike, options: ContextOptions = {}): AppContext => {
  const { log = () => {}, signal, drainMs = DRAIN_MS, onProgress = () => {}, now = () => new Date() } = options;
  return {
    host: hostOf(node, now),
    log,
    retries: { all: 0, throttled: 0 },
    progress: { show: onProgress, stop: () => {} },
    closing: signal ?? new AbortController().signal,
    ending: laterThan(signal, drainMs),
    exitCodes: exitCodesFor(signal),
  };
};

/** The same for one run: what is counted is of that run alone. */
export const forOneRun = (context: AppContext): AppContext => ({ ...context, retries: { all: 0, throttled: 0 } });

const hostOf = (node: ProcessLike, now: () => Date): Host => ({
  env: node.env,
  cwd: node.cwd(),
  pid: node.pid,
  host: hostname(),
  get processSpace() {
    return processSpace();
  },
  isAlive: (pid) => isAlive(pid, (id, probe) => node.kill(id, probe)),
  startOf,
  nodeVersion: node.versions.node,
  cores: availableParallelism(),
  now,
  runId: randomBytes(4).toString("hex"),
  // Each stream is made when something uses it.
  get stdin() {
    return node.stdin;
  },
  get stdout() {
    return node.stdout;
  },
  get stderr() {
    return node.stderr;
  },
});

const laterThan = (signal: AbortSignal | undefined, ms: number): AbortSignal => {
  const later = new AbortController();
  const start = (): void => void setTimeout(() => later.abort(signal?.reason), ms).unref();
  if (signal?.aborted) start();
  else signal?.addEventListener("abort", start, { once: true });
  return later.signal;
};

/** What the archive's record says of a run that the program stopped: the same as of one that a signal or a limit ended. */
const exitCodesFor = (signal: AbortSignal | undefined): ExitCodes => ({
  of: (end) => {
    if ("outcome" in end) return exitCodeFor(end.outcome);
    if (!signal?.aborted || end.error !== signal.reason) return exitCodeOf(end.error);
    return (signal.reason as Error | undefined)?.name === "TimeoutError" ? EXIT.timeUp : EXIT.interrupted;
  },
  earlyEnd,
});
