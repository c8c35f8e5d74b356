import { type RawRecord, wholeRecord } from "../../core/raw-record.ts";
import type { StoredRecord } from "../../core/records.ts";

/** Records with their documents as one text and one buffer: cheap to hand to another thread, which takes them apart. */
export interface Bundle {
  /** JSON: of each record its `Facts`. */
  facts: string;
  /** Behind each other, of each record: what the service said about the call, as JSON, and the document. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** `RawRecord` with lengths instead of bytes. */
interface Facts {
  record: StoredRecord;
  said: number;
  document: number;
  sha256: string | null;
}

export const bundled = (records: readonly RawRecord[]): Bundle => {
  let length = 0;
  for (const { said, document } of records) length += (said?.length ?? 0) + (document?.length ?? 0);
  // A buffer of its own, not of a pool: it may be transferred.
  const bytes = new Uint8Array(length);
  let at = 0;
  const put = (piece: Uint8Array | undefined): number => {
    if (!piece) return 0;
    bytes.set(piece, at);
    at += piece.length;
    return piece.length;
  };
  const facts = records.map(
    ({ record, said, document, sha256 }): Facts => ({
      record,
      said: put(said),
      document: put(document),
      sha256: document ? sha256 : null,
    }),
  );
  return { facts: JSON.stringify(facts), bytes };
};

/** The records; their documents are views of the bundle's buffer. */
export const unbundled = ({ facts, bytes }: Bundle): StoredRecord[] => {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return (JSON.parse(facts) as Facts[]).map(({ record, said, document, sha256 }) => {
    const meta = said === 0 ? undefined : take(said);
    const body = take(document);
    return wholeRecord({ record, said: meta, document: sha256 === null ? undefined : body, sha256 });
  });
};
