import { hasDocument, type PrepareReading, type ReadConversation, type ReadResult } from "../core/reading.ts";
import type { SessionOf, StoredConversation } from "../core/records.ts";
import { digestOfTranscript } from "../core/revision.ts";
import type { JsonObject, Transcript } from "../core/transcript.ts";
import { callFacts } from "../parse/call-meta.ts";
import { transcriptOf } from "../parse/index.ts";
import type { ForeignFind } from "../transforms/redact/index.ts";
import type { Host } from "./context.ts";
import { REDACT_TIMEOUT } from "./defaults.ts";
import { redactorOf } from "./redaction.ts";
import type { RedactRequest } from "./requests.ts";

export interface Reader {
  read: ReadConversation;
  /** Only with a command that redacts: without it `read` would leave what the command finds. */
  prepare?: PrepareReading;
  close(): Promise<void>;
}

/** Reads records as transcripts, redacted if the request wants that. @throws UsageError */
export const readerOf = async (
  request: RedactRequest,
  host: Pick<Host, "env" | "cwd"> | undefined,
): Promise<Reader> => {
  const redactor = await redactorOf(request);
  const close = async (): Promise<void> => undefined;
  if (redactor === undefined) return { read: (record) => ({ transcript: transcriptOf(record) }), close };
  const redacted = (transcript: Transcript, found?: PreparedRecord["found"]): ReadResult => ({
    ...redactor(transcript, found),
    participants: transcript.participants,
  });
  if (request.redactCommand === undefined) return { read: (record) => redacted(transcriptOf(record)), close };
  if (host === undefined) throw new Error("Internal error: a thread cannot ask the redact command.");
  const asking = await askingOf(request.redactCommand, request.redactTimeout, host);
  return {
    read: (record) => {
      const { transcript, found } = asking.prepared.get(record) ?? unprepared(record);
      return redacted(transcript, found);
    },
    prepare: asking.prepare,
    close: asking.close,
  };
};

interface PreparedRecord {
  transcript: Transcript;
  found: ReadonlyMap<string, readonly ForeignFind[]>;
}

/** Asks the command about all texts of a batch at once, each text once. */
const askingOf = async (command: string, timeout: number | undefined, host: Pick<Host, "env" | "cwd">) => {
  const [{ commandLineOf }, { LineProcess }, { REDACT_DIALOG }, { textsIn }] = await Promise.all([
    import("./command/command-line.ts"),
    import("./command/line-program.ts"),
    import("./redact-command/answers.ts"),
    import("../transforms/redact/index.ts"),
  ]);
  const line = commandLineOf(command, "--redact-command", host);
  const asked = new LineProcess(REDACT_DIALOG, line, host, (timeout ?? REDACT_TIMEOUT) * 1000);
  const prepared = new WeakMap<StoredConversation, PreparedRecord>();
  const prepare: PrepareReading = async (records, signal) => {
    const transcripts = records.flatMap((record) => {
      const transcript = hasDocument(record) ? transcriptOrNone(record) : undefined;
      return transcript === undefined ? [] : [{ record, transcript }];
    });
    const texts = [...new Set(transcripts.flatMap(({ transcript }) => [...textsIn(transcript)]))];
    const answers = await asked.ask(texts, signal);
    const found = new Map(texts.map((text, at) => [text, answers[at] ?? []]));
    for (const { record, transcript } of transcripts) prepared.set(record, { transcript, found });
  };
  return { prepared, prepare, close: () => asked.close() };
};

/** @throws InvalidDocument */
const unprepared = (record: StoredConversation): never => {
  transcriptOf(record);
  throw new Error("the redact command was not asked about it");
};

/** Undefined if it cannot be read: reading it says why. */
const transcriptOrNone = (record: StoredConversation): Transcript | undefined => {
  try {
    return transcriptOf(record);
  } catch {
    return undefined;
  }
};

/** The session of a call and the call's times, as describe gives them. */
export const sessionOf: SessionOf = (meta) => {
  const { sessionId, start, endedBy } = callFacts(meta);
  return sessionId === undefined || start === undefined || endedBy === undefined
    ? undefined
    : { sessionId, start: new Date(start), end: new Date(endedBy) };
};

/** The channel of a call, as list and describe give it. */
export const channelOf = (meta: JsonObject): string | undefined => callFacts(meta).channel;

/** The hex digest of a conversation's transcript: another one means that a destination gets it again. @throws InvalidDocument */
export const digestOf = (conversation: StoredConversation): string => digestOfTranscript(transcriptOf(conversation));
