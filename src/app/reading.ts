import type { ReadConversation } from "../core/reading.ts";
import type { SessionOf, StoredConversation } from "../core/records.ts";
import { digestOfTranscript } from "../core/revision.ts";
import { callFacts } from "../parse/call-meta.ts";
import { transcriptOf } from "../parse/index.ts";
import { redactorOf } from "./redaction.ts";
import type { RedactRequest } from "./requests.ts";

/** Reads records as transcripts, redacted if the request wants that. @throws UsageError */
export const readerOf = async (request: RedactRequest): Promise<ReadConversation> => {
  const redactor = await redactorOf(request);
  if (!redactor) return (record) => ({ transcript: transcriptOf(record) });
  return (record) => {
    const transcript = transcriptOf(record);
    return { ...redactor(transcript), participants: transcript.participants };
  };
};

/** The session of a call and the call's times, as describe gives them. */
export const sessionOf: SessionOf = (meta) => {
  const { sessionId, start, end } = callFacts(meta);
  return sessionId === undefined || start === undefined || end === undefined
    ? undefined
    : { sessionId, start: new Date(start), end: new Date(end) };
};

/** The hex digest of a conversation's transcript: another one means that a destination gets it again. @throws InvalidDocument */
export const digestOf = (conversation: StoredConversation): string => digestOfTranscript(transcriptOf(conversation));
