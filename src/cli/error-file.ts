import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Archive } from "../core/archive.ts";
import { tagOf } from "../sinks/leftovers.ts";
import { PartFile, syncFolder } from "../sinks/part-file.ts";
import type { Io } from "./io.ts";

/**
Writes what the selection did not bring, one call a line, if a file was asked for; also when there is nothing to say, so
that no older file speaks in its place. `-i` takes it back.
*/
export const writeErrorFile = async (
  { errorFile }: { errorFile?: string },
  io: Io,
  archive: Archive,
): Promise<void> => {
  if (errorFile === undefined) return;
  const path = resolve(io.cwd, errorFile);
  const file = await PartFile.open(path, tagOf(io, randomBytes(6).toString("hex")));
  try {
    for await (const batch of archive.unsettled()) {
      for (const { id, state, error, attempts } of batch) {
        if (state === "pruned" || state === "open") continue;
        const { code, requestId, message } = error ?? {};
        file.add(`${JSON.stringify({ id, state, code, requestId, message, attempts })}\n`, 1);
      }
      await file.flush();
    }
    await file.seal();
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await syncFolder(dirname(path));
};
