import { InvalidDocument } from "../core/errors.ts";
import type { Document } from "../core/records.ts";
import { type CallLog, readCallLog } from "../parse/call-log.ts";

export interface Examined {
  document: Document;
  log?: CallLog;
  error?: InvalidDocument;
}

/**
Checks that a document is the call log of the expected call.

A document that is not JSON may have been cut by a proxy, so it is fetched once more. If the bytes are the same again,
it counts as invalid.
*/
export const examine = async (
  document: Document,
  expectedId: string | undefined,
  fetchAgain: () => Promise<Document>,
): Promise<Examined> => {
  const { log, error } = read(document);
  if (error?.facts.code === "NotJson") {
    const downloadedAgain = await fetchAgain();
    if (downloadedAgain.sha256 !== document.sha256)
      return examine(downloadedAgain, expectedId, async () => downloadedAgain);
  }
  if (!log) return { document, ...(error && { error }) };
  const isOtherCall = expectedId && log.instanceId && log.instanceId.toLowerCase() !== expectedId.toLowerCase();
  if (!isOtherCall) return { document, log };
  return { document, error: new InvalidDocument("the document belongs to another call", "OtherCall") };
};

const read = (document: Document): Omit<Examined, "document"> => {
  try {
    return { log: readCallLog(document.bytes) };
  } catch (error) {
    if (error instanceof InvalidDocument) return { error };
    throw error;
  }
};
