import type { StoredRecord } from "./records.ts";
import { utf8 } from "./text.ts";
import type { JsonObject } from "./transcript.ts";

/** A record but for its document and what the service said about its call, which are still bytes. */
export interface RawRecord {
  /** An empty link stands for the one that the service named. */
  record: StoredRecord;
  meta: Uint8Array | undefined;
  /** Absent where there is none, or it could not be read. */
  document: Uint8Array | undefined;
  sha256: string | null;
}

/** What the service said about a call, of the bytes that it is stored as. */
export const parseMeta = (bytes: Uint8Array): JsonObject => JSON.parse(utf8(bytes) ?? "");

/** The record with everything in its place; its document stays the view that it was. */
export const toStoredRecord = ({ record, meta: metaBytes, document, sha256 }: RawRecord): StoredRecord => {
  const { link, ...rest } = record;
  const stored: StoredRecord = rest;
  const meta = metaBytes && parseMeta(metaBytes);
  const address = link === "" ? meta?.CallLogUrl : link;
  if (typeof address === "string") stored.link = address;
  if (meta) stored.meta = meta;
  if (document && sha256 !== null) stored.document = { bytes: document, sha256 };
  return stored;
};
