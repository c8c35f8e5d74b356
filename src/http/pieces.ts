import type { Readable } from "node:stream";

/**
The pieces of a stream as they arrive, one at a time.

The stream's own iterator joins all that has arrived into a new buffer: twice the memory, and a copy of every byte of a
large file. Leaving the loop early does not end the stream.
*/
export async function* piecesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  const arrived: Uint8Array[] = [];
  let ended = false;
  let failure: { error: unknown } | undefined;
  let wake = (): void => {};
  const onData = (piece: Uint8Array): void => {
    stream.pause();
    arrived.push(piece);
    wake();
  };
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  const onError = (error: unknown): void => {
    failure ??= { error };
    wake();
  };
  const onClose = (): void => wake();
  stream.on("data", onData).once("end", onEnd).once("error", onError).once("close", onClose).pause();
  try {
    for (;;) {
      const piece = arrived.shift();
      if (piece) yield piece;
      else if (failure) throw failure.error;
      else if (ended) return;
      else if (stream.destroyed) throw stream.errored ?? new Error("The stream was closed.");
      else {
        const next = new Promise<void>((resolve) => {
          wake = resolve;
        });
        stream.resume();
        await next;
      }
    }
  } finally {
    stream.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
  }
}
