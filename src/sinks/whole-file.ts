import { basename, dirname } from "node:path";
import { ReaderGone, UsageError } from "../core/errors.ts";
import type { Chunk } from "../core/ports.ts";
import { writeAtomically } from "./atomic-file.ts";
import { clearLeftovers, tagOf, type WritingProcess } from "./leftovers.ts";
import { openStream, type StandardStreams, type StreamContext } from "./open-stream.ts";
import { isSpecial, placeAt, type Special } from "./places.ts";

/** The target of a write: data is added, and flushed from time to time. */
interface FillTarget {
  add(data: Chunk, rows?: number): void;
  flush(): Promise<void>;
}

/**
Writes a file that appears under its name only when it is complete. A link stays, and its target is replaced. A pipe, a
device or a socket is written to directly.
*/
export const fillWhole = async (
  path: string,
  self: WritingProcess & StandardStreams,
  context: StreamContext,
  fill: (file: FillTarget) => Promise<void>,
  mode = 0o600,
): Promise<void> => {
  const place = placeAt(path, self.pid);
  if (isSpecial(place)) return fillStream(place, self, context, fill);
  if (place.kind === "folder") throw new UsageError(`${path} is a folder.`);
  const folder = dirname(place.path);
  await clearLeftovers(folder, self, (name) => name === basename(place.path));
  await writeAtomically(place.path, tagOf(self), fill, mode);
};

const fillStream = async (
  place: Special,
  self: WritingProcess & StandardStreams,
  context: StreamContext,
  fill: (file: FillTarget) => Promise<void>,
): Promise<void> => {
  const { put, flush, end, destroy } = await openStream(place, self, context);
  try {
    await fill({ add: (data) => put(data), flush });
    await flush();
    await end();
  } catch (error) {
    destroy();
    // A reader that closes the stream is not an error.
    if (!(error instanceof ReaderGone)) throw error;
  }
};
