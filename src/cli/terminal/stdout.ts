import type { Writable } from "node:stream";
import { streamOutput } from "../../app/stdout.ts";

/** Prints to standard output; `flush` waits for a slow reader. @throws ReaderGone when the reader closed the pipe */
export const printer = (
  stdout: Writable,
): { print: (text: string | Uint8Array) => void; flush: () => Promise<void> } => {
  const { put, flush } = streamOutput(stdout);
  return { print: put, flush };
};
