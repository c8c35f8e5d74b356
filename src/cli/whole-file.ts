import { basename, dirname } from "node:path";
import { ReaderGone, UsageError } from "../core/errors.ts";
import type { Chunk } from "../core/ports.ts";
import { clearLeftovers, tagOf } from "../sinks/leftovers.ts";
import { writeAtomically } from "../sinks/part-file.ts";
import { isSpecial, placeAt, type Special } from "../sinks/places.ts";
import type { Io } from "./io.ts";
import { openStream, type StreamContext } from "./open-stream.ts";

/** What is filled: pieces are added, and flushed from time to time. */
interface Filling {
  add(data: Chunk, rows?: number): void;
  flush(): Promise<void>;
}

/**
Fills a file that appears under its name only when it is whole. Through a link its target is replaced, not the link; a
pipe, a device or a socket is written to.
*/
export const fillWhole = async (
  path: string,
  io: Io,
  context: StreamContext,
  fill: (file: Filling) => Promise<void>,
  mode = 0o600,
): Promise<void> => {
  const place = placeAt(path, io.pid);
  if (isSpecial(place)) return fillStream(place, io, context, fill);
  if (place.kind === "folder") throw new UsageError(`${path} is a folder.`);
  const folder = dirname(place.path);
  await clearLeftovers(folder, io, (name) => name === basename(place.path));
  await writeAtomically(place.path, tagOf(io), fill, mode);
};

const fillStream = async (
  place: Special,
  io: Io,
  context: StreamContext,
  fill: (file: Filling) => Promise<void>,
): Promise<void> => {
  const { put, flush, end, destroy } = await openStream(place, io, context);
  try {
    await fill({ add: (data) => put(data), flush });
    await flush();
    await end();
  } catch (error) {
    destroy();
    // Whoever reads has seen enough.
    if (!(error instanceof ReaderGone)) throw error;
  }
};
