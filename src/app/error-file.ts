import { resolve } from "node:path";
import type { Reader } from "../core/archive.ts";
import type { StoredConversation } from "../core/records.ts";
import type { StreamContext } from "../sinks/open-stream.ts";
import { fillWhole } from "../sinks/whole-file.ts";
import type { Host } from "./context.ts";

/** A missing, invalid or failed call as a line of NDJSON; `-i` reads it. */
export const troubleLine = (
  { id, state, error, attempts, acknowledged }: StoredConversation,
  more: object = {},
): string => {
  const { code, requestId, message } = error ?? {};
  return `${JSON.stringify({ id, state, code, requestId, message, attempts, acknowledged, ...more })}\n`;
};

/**
Writes the missing, invalid and failed calls of the selection to the requested file, one per line. Writes an empty file
if there are none, so that an older file is not mistaken for the result.
*/
export const writeErrorFile = async (
  { errorFile }: { errorFile?: string },
  host: Host,
  archive: Reader,
  context: StreamContext,
): Promise<void> => {
  if (errorFile === undefined) return;
  await fillWhole(resolve(host.cwd, errorFile), host, context, async (file) => {
    for await (const batch of archive.unsettled({ logs: true })) {
      for (const record of batch)
        if (record.state !== "pruned" && record.state !== "open")
          file.add(troubleLine(record, { known: record.known }), 1);
      await file.flush();
    }
  });
};
