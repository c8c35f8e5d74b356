import { readFileSync, writeSync } from "node:fs";
import type { Io } from "./io.ts";

const STDOUT = 1;

/** Answers what is asked while a command line is being written, without loading what makes the answer. */
const answered = async ([word, ...more]: readonly string[]): Promise<boolean> => {
  const isVersion = word === "--version" || word === "-V";
  const isHelp = word === "--help" || word === "-h";
  // A console of Windows wants its text from a stream.
  if (more.length > 0 || !(isVersion || isHelp) || process.platform === "win32") return false;
  try {
    const text = isVersion ? Buffer.from(`${(await import("../app/version.ts")).VERSION}\n`) : await builtHelp();
    // Without making a stream of it.
    for (let at = 0; at < text.length; ) at += writeSync(STDOUT, text, at);
    return true;
  } catch {
    // It was not built in this width, or nobody listens: the long way knows what to do.
    return false;
  }
};

/** The program's help as it was built; only for the widths that are common. @throws where there is none */
const builtHelp = async (): Promise<Buffer> => {
  const { helpWidth } = await import("./terminal/help-width.ts");
  const { isatty } = await import("node:tty");
  // Only of a terminal, since it makes a stream.
  const width = helpWidth({ env: process.env, stdout: isatty(STDOUT) ? process.stdout : {} });
  return readFileSync(new URL(`../help-${width}.txt`, import.meta.url));
};

/** The command line, on this process. Alone in touching it. */
export const main = async (): Promise<void> => {
  const argv = process.argv.slice(2);
  if (await answered(argv)) return;
  const { availableParallelism, hostname } = await import("node:os");
  const { randomBytes } = await import("node:crypto");
  const { isAlive, processSpace, startOf } = await import("../app/machine.ts");
  let reads = false;
  let failure: Error | undefined;
  const io: Io = {
    env: process.env,
    // Made only when something reads it: it would hold the process up.
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
    onSignal: (heard) => {
      const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
      for (const signal of signals) process.on(signal, heard);
      return () => {
        for (const signal of signals) process.off(signal, heard);
      };
    },
    exit: (code) => process.exit(code),
  };
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") failure ??= error;
  });
  // About messages that nobody can read there is nothing to say.
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
