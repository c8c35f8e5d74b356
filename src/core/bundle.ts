import type { StoredRecord } from "./archive.ts";
import { utf8 } from "./text.ts";
import type { JsonObject } from "./transcript.ts";

/** A record but for its document and what the service said about its call, which are still bytes. */
export interface RawRecord {
  /** An empty link stands for the one that the service named. */
  record: StoredRecord;
  said: Uint8Array | undefined;
  /** Absent where there is none, or it could not be read. */
  document: Uint8Array | undefined;
  sha256: string | null;
}

/** Records with their documents as one text and one buffer: cheap to hand to another thread, which takes them apart. */
export interface Bundle {
  items: readonly number[];
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
  return { items: records.map(({ record }) => record.item), facts: JSON.stringify(facts), bytes };
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

/** The record with everything in its place; its document stays the view that it was. */
export const wholeRecord = ({ record, said, document, sha256 }: RawRecord): StoredRecord => {
  const { link, ...rest } = record;
  const whole: StoredRecord = rest;
  const meta = said && (JSON.parse(utf8(said) ?? "") as JsonObject);
  const address = link === "" ? meta?.CallLogUrl : link;
  if (typeof address === "string") whole.link = address;
  if (meta) whole.meta = meta;
  if (document && sha256 !== null) whole.document = { bytes: document, sha256 };
  return whole;
};
