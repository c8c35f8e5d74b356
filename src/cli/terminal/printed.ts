import type { Io } from "../io.ts";

/**
Waits until everything printed to stdout has been written.

@throws Error when it could not be written, for example because the disk is full
*/
export const checkPrinted = async ({ stdout, stdoutFailure }: Pick<Io, "stdout" | "stdoutFailure">): Promise<void> => {
  // Only if something is buffered: /dev/full fails even for an empty write.
  if (stdout.writableLength > 0) await new Promise<void>((done) => stdout.write("", () => done()));
  // A stream emits its error one tick after the failed write.
  await new Promise<void>((done) => setImmediate(done));
  const failure = stdoutFailure();
  if (failure) throw new Error(`Cannot write to standard output: ${failure.message}`);
};
