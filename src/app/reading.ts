import type { ReadRecord } from "../core/reading.ts";
import type { StoredRecord } from "../core/records.ts";
import { digestOfTranscript } from "../core/revision.ts";
import { transcriptOf } from "../parse/index.ts";
import { redactorOf } from "./redaction.ts";
import type { RedactRequest } from "./requests.ts";

/** Reads records as transcripts, redacted if the request wants that. @throws UsageError */
export const readerOf = async (request: RedactRequest): Promise<ReadRecord> => {
  const redactor = await redactorOf(request);
  return redactor ? (record) => redactor(transcriptOf(record)) : (record) => ({ transcript: transcriptOf(record) });
};

/** The hex digest of a conversation's transcript: another one means that a destination gets it again. @throws InvalidDocument */
export const digestOf = (conversation: StoredRecord): string => digestOfTranscript(transcriptOf(conversation));
