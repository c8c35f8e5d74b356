import process from "node:process";
import { exitCodeOf } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { run } from "./program.ts";

/** The command line, on this process. Alone in touching it. */
export const main = async (): Promise<void> => {
  const io: Io = {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    cwd: process.cwd(),
    pid: process.pid,
    nodeVersion: process.versions.node,
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
  // A reader that goes away (`| head`) is not an error of ours; whoever writes data notices by itself.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  process.stderr.on("error", () => undefined);
  try {
    process.exitCode = await run(process.argv.slice(2), io);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    throw error;
  }
};
