import type { ReadRecord } from "../core/reading.ts";
import { callTranscript } from "../parse/call-log.ts";
import { redactorOf } from "./redaction.ts";
import type { RedactRequest } from "./requests.ts";

/** How records become the transcripts that outputs are made of: redacted, if that is asked for. @throws UsageError */
export const readerOf = async (request: RedactRequest): Promise<ReadRecord> => {
  const redactor = await redactorOf(request);
  return redactor ? (record) => redactor(callTranscript(record)) : (record) => ({ transcript: callTranscript(record) });
};
