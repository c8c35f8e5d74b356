import { readFileSync, writeSync } from "node:fs";
import type { Io } from "./io.ts";

const STDOUT = 1;

/** Prints --version and --help at once, because they are asked for interactively. Resolves to whether it did. */
const answerQuickly = async ([word, ...more]: readonly string[]): Promise<boolean> => {
  const isVersion = word === "--version" || word === "-V";
  const isHelp = word === "--help" || word === "-h";
  // On Windows the console needs a stream for its encoding.
  if (more.length > 0 || !(isVersion || isHelp) || process.platform === "win32") return false;
  try {
    const text = isVersion ? Buffer.from(`${(await import("../app/version.ts")).VERSION}\n`) : await builtHelp();
    // process.stdout is slow to create.
    for (let at = 0; at < text.length; ) at += writeSync(STDOUT, text, at);
    return true;
  } catch {
    // There is no prebuilt help of this width, or the pipe is closed: the program handles both.
    return false;
  }
};

/** The help that the build wrote, for common widths. @throws when there is none for this width */
const builtHelp = async (): Promise<Buffer> => {
  const { helpWidth } = await import("./terminal/help-width.ts");
  const { isatty } = await import("node:tty");
  // process.stdout is created only for a terminal, because creating it is slow.
  const width = helpWidth({ env: process.env, stdout: isatty(STDOUT) ? process.stdout : {} });
  return readFileSync(new URL(`../help-${width}.txt`, import.meta.url));
};

/** Runs the command line in this process. The only module that uses `process`. */
export const main = async (): Promise<void> => {
  const argv = process.argv.slice(2);
  if (await answerQuickly(argv)) return;
  const { availableParallelism, hostname } = await import("node:os");
  const { randomBytes } = await import("node:crypto");
  const { isAlive, processSpace, startOf } = await import("../app/machine.ts");
  let reads = false;
  let failure: Error | undefined;
  const io: Io = {
    env: process.env,
    // Created only when something reads it: an open stdin keeps the process alive.
    get stdin() {
      reads = true;
      return process.stdin;
    },
    stdout: process.stdout,
    stdoutFailure: () => failure,
    stderr: process.stderr,
    cwd: process.cwd(),
    pid: process.pid,
    runId: randomBytes(4).toString("hex"),
    host: hostname(),
    get processSpace() {
      return processSpace();
    },
    isAlive: (pid) => isAlive(pid, process.kill),
    startOf,
    nodeVersion: process.versions.node,
    cores: availableParallelism(),
    now: () => new Date(),
    onSignal: (listener) => {
      const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    exit: (code) => process.exit(code),
  };
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") failure ??= error;
  });
  // If stderr is closed, messages are lost; the run continues.
  process.stderr.on("error", () => undefined);
  try {
    const { run } = await import("./program.ts");
    process.exitCode = await run(argv, io);
  } catch (error) {
    process.exitCode = (await import("./exit-codes.ts")).exitCodeOf(error);
    throw error;
  } finally {
    if (reads) process.stdin.destroy();
  }
};
