import type { StoredRecord } from "./archive.ts";
import { utf8 } from "./text.ts";
import type { JsonObject } from "./transcript.ts";

/** Records with their documents as one text and one buffer: cheap to hand to another thread, which takes them apart. */
export interface Bundle {
  items: readonly number[];
  /** JSON, a `Entry` each. */
  facts: string;
  /** Behind each other, of each record: what the service said about the call, as JSON, and the document. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** A record that is to be bundled: its document and what the service said come as bytes. */
export interface Loose {
  record: StoredRecord;
  said: Uint8Array | undefined;
  /** Absent where there is none, or it could not be read. */
  document: Uint8Array | undefined;
  sha256: string | null;
}

interface Entry {
  record: StoredRecord;
  said: number;
  document: number;
  sha256: string | null;
}

export const bundled = (entries: readonly Loose[]): Bundle => {
  let length = 0;
  for (const { said, document } of entries) length += (said?.length ?? 0) + (document?.length ?? 0);
  // A buffer of its own, not of a pool: it may be transferred.
  const bytes = new Uint8Array(length);
  let at = 0;
  const put = (piece: Uint8Array | undefined): number => {
    if (!piece) return 0;
    bytes.set(piece, at);
    at += piece.length;
    return piece.length;
  };
  const facts = entries.map(
    ({ record, said, document, sha256 }): Entry => ({
      record,
      said: put(said),
      document: put(document),
      sha256: document ? sha256 : null,
    }),
  );
  return { items: entries.map(({ record }) => record.item), facts: JSON.stringify(facts), bytes };
};

/** The records; their documents are views of the buffer. */
export const unbundled = ({ facts, bytes }: Bundle): StoredRecord[] => {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return (JSON.parse(facts) as Entry[]).map(({ record, said, document, sha256 }) => {
    const meta = said === 0 ? undefined : take(said);
    const body = take(document);
    const whole = withSaid(record, meta);
    return sha256 === null ? whole : { ...whole, document: { bytes: body, sha256 } };
  });
};

/** A record with what the service said about its call; an empty link stands for the one that it named. */
export const withSaid = ({ link, ...record }: StoredRecord, said: Uint8Array | undefined): StoredRecord => {
  const meta = said && (JSON.parse(utf8(said) ?? "") as JsonObject);
  const address = link === "" ? meta?.CallLogUrl : link;
  return { ...record, ...(typeof address === "string" && { link: address }), ...(meta && { meta }) };
};
