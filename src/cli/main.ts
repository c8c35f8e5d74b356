import { availableParallelism, hostname } from "node:os";
import process from "node:process";
import { exitCodeOf } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { run } from "./program.ts";

/** The command line, on this process. Alone in touching it. */
export const main = async (): Promise<void> => {
  let reads = false;
  const io: Io = {
    env: process.env,
    // Made only when something reads it: it would hold the process up.
    get stdin() {
      reads = true;
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    cwd: process.cwd(),
    pid: process.pid,
    host: hostname(),
    isAlive,
    nodeVersion: process.versions.node,
    cores: availableParallelism(),
    now: () => new Date(),
    onSignal: (heard) => {
      process.on("SIGINT", heard);
      process.on("SIGTERM", heard);
      return () => {
        process.off("SIGINT", heard);
        process.off("SIGTERM", heard);
      };
    },
    exit: (code) => process.exit(code),
  };
  // Whoever writes data hears of its errors by itself; about talk that nobody can hear there is nothing to say.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  try {
    process.exitCode = await run(process.argv.slice(2), io);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    throw error;
  } finally {
    if (reads) process.stdin.destroy();
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
