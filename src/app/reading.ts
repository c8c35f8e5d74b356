import type { ReadRecord } from "../core/reading.ts";
import { callTranscript } from "../parse/call-log.ts";
import { redactorOf } from "./redaction.ts";
import type { RedactRequest } from "./requests.ts";

/** Reads records as transcripts, redacted if the request wants that. @throws UsageError */
export const readerOf = async (request: RedactRequest): Promise<ReadRecord> => {
  const redactor = await redactorOf(request);
  return redactor ? (record) => redactor(callTranscript(record)) : (record) => ({ transcript: callTranscript(record) });
};
