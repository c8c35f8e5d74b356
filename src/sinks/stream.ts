import type { Writable } from "node:stream";
import { ReaderGone } from "../core/errors.ts";
import type { Chunk } from "../core/ports.ts";
import type { FileOutput } from "./file-set.ts";

/**
Writes one writer's main file to a stream, such as standard output. Sidecar files are left out.

@throws ReaderGone from `flush` and `end` when the other end is closed
*/
export const streamOutput = (stream: Writable): FileOutput & { end(): Promise<void> } => {
  let waiting: Chunk[] = [];
  // Each write rejects with its own error; an error between two writes makes the next one fail.
  stream.on("error", () => undefined);
  const write = (bytes: Chunk): Promise<void> =>
    new Promise((done, fail) => {
      stream.write(bytes, (error) => {
        if (!error) done();
        else fail(isClosed(error) ? new ReaderGone("The reader closed the pipe.") : error);
      });
    });
  return {
    put: (data, { file } = {}) => {
      if (file === undefined) waiting.push(data);
    },
    flush: async () => {
      const chunks = waiting;
      waiting = [];
      for (const bytes of joinTexts(chunks)) await write(bytes);
    },
    end: () => new Promise((done, fail) => stream.end((error?: Error | null) => (error ? fail(error) : done()))),
  };
};

const isClosed = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "ERR_STREAM_DESTROYED";

/** Joins texts, so that there is one write for many lines. */
function* joinTexts(chunks: readonly Chunk[]): Generator<Chunk> {
  let text = "";
  for (const chunk of chunks) {
    if (typeof chunk === "string") {
      text += chunk;
      if (text.length < 64 * 1024) continue;
    }
    if (text !== "") yield text;
    text = "";
    if (typeof chunk !== "string") yield chunk;
  }
  if (text !== "") yield text;
}
