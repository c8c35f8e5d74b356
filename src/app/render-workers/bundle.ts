import { type RawConversation, toStoredConversation } from "../../core/raw-conversation.ts";
import type { StoredConversation } from "../../core/records.ts";

/** Records with their documents as one text and one buffer: cheap to hand to another thread, which takes them apart. */
export interface Bundle {
  /** JSON: of each record its `Facts`. */
  facts: string;
  /** Behind each other, of each record: what the service said about the call, as JSON, the document, and further records. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** `RawConversation` with lengths instead of bytes. */
interface Facts {
  record: StoredConversation;
  meta: number;
  document: number;
  further?: number;
  sha256: string | null;
}

export const encodeBundle = (records: readonly RawConversation[]): Bundle => {
  let length = 0;
  for (const { meta, document, further } of records)
    length += (meta?.length ?? 0) + (document?.length ?? 0) + (further?.length ?? 0);
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
    ({ record, meta, document, sha256, further }): Facts => ({
      record,
      meta: put(meta),
      document: put(document),
      sha256: document ? sha256 : null,
      ...(further && { further: put(further) }),
    }),
  );
  return { facts: JSON.stringify(facts), bytes };
};

/** The records; their documents are views of the bundle's buffer. */
export const decodeBundle = ({ facts, bytes }: Bundle): StoredConversation[] => {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return (JSON.parse(facts) as Facts[]).map(
    ({ record, meta: metaLength, document, sha256, further: furtherLength }) => {
      const meta = metaLength === 0 ? undefined : take(metaLength);
      const body = take(document);
      const further = furtherLength === undefined ? undefined : take(furtherLength);
      const raw = { record, meta, document: sha256 === null ? undefined : body, sha256 };
      return toStoredConversation(further ? { ...raw, further } : raw);
    },
  );
};
