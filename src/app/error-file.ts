import { resolve } from "node:path";
import type { Archive } from "../core/archive.ts";
import type { StoredRecord } from "../core/records.ts";
import type { StreamContext } from "../sinks/open-stream.ts";
import { fillWhole } from "../sinks/whole-file.ts";
import type { Host } from "./context.ts";

/** A call that could not be had, as NDJSON; `-i` takes it back. */
export const troubleLine = ({ id, state, error, attempts, acknowledged }: StoredRecord, more: object = {}): string => {
  const { code, requestId, message } = error ?? {};
  return `${JSON.stringify({ id, state, code, requestId, message, attempts, acknowledged, ...more })}\n`;
};

/**
Writes what the selection did not bring, one call a line, if a file was asked for; also when there is nothing to say, so
that no older file speaks in its place.
*/
export const writeErrorFile = async (
  { errorFile }: { errorFile?: string },
  host: Host,
  archive: Archive,
  context: StreamContext,
): Promise<void> => {
  if (errorFile === undefined) return;
  await fillWhole(resolve(host.cwd, errorFile), host, context, async (file) => {
    for await (const batch of archive.unsettled()) {
      for (const record of batch)
        if (record.state !== "pruned" && record.state !== "open")
          file.add(troubleLine(record, { known: record.known }), 1);
      await file.flush();
    }
  });
};
