import type { Io } from "../io.ts";

/**
Waits until everything that was printed has left.

@throws Error when it could not be written: whoever saved it in a file has not got it
*/
export const checkPrinted = async ({ stdout, stdoutFailure }: Pick<Io, "stdout" | "stdoutFailure">): Promise<void> => {
  // Not when all has left: /dev/full refuses even nothing.
  if (stdout.writableLength > 0) await new Promise<void>((done) => stdout.write("", () => done()));
  // Streams tell of an error one step after the write that it ended.
  await new Promise<void>((done) => setImmediate(done));
  const failure = stdoutFailure();
  if (failure) throw new Error(`Standard output could not be written: ${failure.message}`);
};
