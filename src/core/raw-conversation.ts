import { hash } from "node:crypto";
import type { StoredConversation } from "./records.ts";
import { utf8 } from "./text.ts";
import type { JsonObject } from "./transcript.ts";

/** A stored record whose document and metadata are still bytes. */
export interface RawConversation {
  /** An empty `link` means: the same as `CallLogUrl` in the metadata. */
  record: StoredConversation;
  /** The service's answer about the call, as JSON. */
  meta: Uint8Array | undefined;
  /** Undefined when there is none, or when it could not be read. */
  document: Uint8Array | undefined;
  sha256: string | null;
  /** The records besides a call log, as one JSON array; `record.records` describes them. */
  further?: Uint8Array;
}

/** The stored metadata of a call. @throws SyntaxError */
export const parseMeta = (bytes: Uint8Array): JsonObject => JSON.parse(utf8(bytes) ?? "");

/** The record with parsed metadata and document. The document's bytes are not copied. */
export const toStoredConversation = ({
  record,
  meta: metaBytes,
  document,
  sha256,
  further,
}: RawConversation): StoredConversation => {
  const { link, ...rest } = record;
  const stored: StoredConversation = rest;
  const meta = metaBytes && parseMeta(metaBytes);
  const address = link === "" ? meta?.CallLogUrl : link;
  if (typeof address === "string") stored.link = address;
  if (meta) stored.meta = meta;
  if (document && sha256 !== null) stored.document = { bytes: document, sha256 };
  if (further) {
    stored.further = further;
    stored.document ??= { bytes: further, sha256: hash("sha256", further) };
  }
  return stored;
};
