import { InvalidDocument, messageOf } from "./errors.ts";
import type { Document, StoredConversation } from "./records.ts";
import type { Transcript } from "./transcript.ts";

export type ConversationWithDocument = StoredConversation & { document: Document };

/** A record's transcript, and how many values were redacted in it, by kind. */
export interface ReadResult {
  transcript: Transcript;
  counts?: Partial<Record<string, number>>;
  /** As the source has them, when the transcript is redacted. */
  participants?: Transcript["participants"];
}

/** @throws InvalidDocument */
export type ReadConversation = (record: ConversationWithDocument) => ReadResult;

/** Awaited with each batch before its records are read; rejects to end the run. */
export type PrepareReading = (records: readonly StoredConversation[], signal: AbortSignal) => Promise<void>;

/** Why a record has no transcript. */
export interface Unreadable {
  unreadable: string;
  /** The document is valid, but larger than one text can be. */
  tooLarge: boolean;
}

export const hasDocument = (record: StoredConversation): record is ConversationWithDocument =>
  record.document !== undefined;

/** No error of one record stops the others. */
export const readOrReason = (read: ReadConversation, record: ConversationWithDocument): ReadResult | Unreadable => {
  try {
    return read(record);
  } catch (error) {
    if (error instanceof InvalidDocument) return { unreadable: error.message, tooLarge: false };
    return { unreadable: reasonOf(error), tooLarge: error instanceof RangeError };
  }
};

/** Why a transcript could not be read or written, when its document is valid. */
export const reasonOf = (error: unknown): string =>
  error instanceof RangeError ? `it is too large for one text (${error.message})` : messageOf(error);
