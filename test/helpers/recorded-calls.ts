import { hash } from "node:crypto";
import { canonicalJson } from "../../src/core/canonical.ts";
import type { Arrival, StoredConversation } from "../../src/core/records.ts";
import type { Json } from "../../src/core/transcript.ts";

/** What the archive would hand to a parser, with the records in the order given. Equal ones are one record. */
export const storedCall = (
  id: string,
  log: Json | undefined,
  arrivals: readonly Arrival[],
  more: Partial<StoredConversation> = {},
): StoredConversation => {
  const texts = new Map<string, [Arrival, string]>();
  for (const arrival of arrivals) {
    const { record } = arrival;
    texts.set(`${record.source} ${record.id}`, [arrival, canonicalJson(record.data)]);
  }
  const records = [...texts.values()];
  const further = records.length === 0 ? undefined : Buffer.from(`[${records.map(([, text]) => text).join(",")}]`);
  const bytes = log === undefined ? further : Buffer.from(JSON.stringify(log));
  return {
    item: 1,
    source: "calls",
    state: "fetched",
    id,
    attempts: 0,
    ...(bytes && { document: { bytes, sha256: hash("sha256", bytes) } }),
    ...(further && {
      further,
      records: records.map(([{ source, record }, text]) => ({
        source: record.source ?? source,
        id: record.id,
        ...(record.at && { at: record.at.toISOString() }),
        sha256: hash("sha256", text),
        bytes: Buffer.byteLength(text),
      })),
    }),
    ...more,
  };
};
