import type { Writable } from "node:stream";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import type { Special } from "./places.ts";
import { openSpecial } from "./special.ts";
import { streamOutput } from "./stream.ts";

/** What a stream needs from the run. */
export interface StreamContext {
  /** Aborted by the first signal: the run takes no new work. */
  closing: AbortSignal;
  /** Aborted when the end of the run takes too long. */
  ending: AbortSignal;
  log: Log;
}

/** The process's streams. They are never closed. */
export interface StandardStreams {
  stdout: Writable;
  stderr: Writable;
}

export interface OpenStream extends ReturnType<typeof streamOutput> {
  /** Closes the stream without waiting, for a run that fails. */
  destroy(): void;
}

/** Opens a stream for writing. @param to the place; @default standard output */
export const openStream = async (
  to: Special | undefined,
  streams: StandardStreams,
  { closing, ending, log }: StreamContext,
): Promise<OpenStream> => {
  const standard = to === undefined ? streams.stdout : standardStream(to, streams);
  const stream = standard ?? (await openOrExplain(to as Special, closing, log));
  const output = streamOutput(stream);
  // Standard output and standard error stay open for later messages.
  if (standard) return { ...output, end: async () => undefined, destroy: () => undefined };
  const stop = (): void => void stream.destroy(ending.reason as Error);
  ending.addEventListener("abort", stop, { once: true });
  return {
    ...output,
    end: async () => {
      await output.end();
      ending.removeEventListener("abort", stop);
    },
    destroy: () => {
      ending.removeEventListener("abort", stop);
      stream.destroy();
    },
  };
};

const standardStream = (place: Special, streams: StandardStreams): Writable | undefined => {
  if (place.kind !== "descriptor") return undefined;
  if (place.fd === 1) return streams.stdout;
  return place.fd === 2 ? streams.stderr : undefined;
};

const openOrExplain = async (place: Special, closing: AbortSignal, log: Log): Promise<Writable> => {
  const name = place.kind === "descriptor" ? `/dev/fd/${place.fd}` : place.path;
  try {
    return await openSpecial(place, closing, () => log("info", "no-reader", { path: name }));
  } catch (error) {
    if (closing.aborted) throw error;
    throw new Error(`Cannot write to ${name}: ${messageOf(error)}`);
  }
};
