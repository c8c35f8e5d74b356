import { InvalidDocument, messageOf } from "./errors.ts";
import type { Document, StoredRecord } from "./records.ts";
import type { Transcript } from "./transcript.ts";

export type RecordWithDocument = StoredRecord & { document: Document };

/** What a record says, and what was taken out of it, by kind. */
export interface ReadResult {
  transcript: Transcript;
  counts?: Partial<Record<string, number>>;
}

/** @throws InvalidDocument */
export type ReadRecord = (record: RecordWithDocument) => ReadResult;

/** Why a record gives no transcript. */
export interface Unreadable {
  unreadable: string;
  /** Its document is in order, but larger than one text can be. */
  tooLarge: boolean;
}

export const hasDocument = (record: StoredRecord): record is RecordWithDocument => record.document !== undefined;

/** One record that cannot be read never stops the rest, whatever is wrong with it. */
export const readOrReason = (read: ReadRecord, record: RecordWithDocument): ReadResult | Unreadable => {
  try {
    return read(record);
  } catch (error) {
    if (error instanceof InvalidDocument) return { unreadable: error.message, tooLarge: false };
    return { unreadable: reasonOf(error), tooLarge: error instanceof RangeError };
  }
};

/** Why a transcript could not be read or written, where that is no fault of its document's form. */
export const reasonOf = (error: unknown): string =>
  error instanceof RangeError ? `it is too large for one text (${error.message})` : messageOf(error);
