import type { Note, Writer } from "../../src/core/ports.ts";
import type { Document } from "../../src/core/records.ts";
import type { Transcript } from "../../src/core/transcript.ts";

/** A file as a sink would have it. */
export interface Written {
  text: string;
  rows: number;
}

export const MAIN = "main";

const documentOf = (transcript: Transcript): Document => ({
  bytes: Buffer.from(JSON.stringify(transcript)),
  sha256: transcript.provenance.records[0]?.sha256 ?? "",
});

/** Everything that a writer makes of these transcripts, by file. @param each gives the one for the next transcript */
export const written = (
  writer: Writer,
  transcripts: readonly Transcript[],
  document: (transcript: Transcript) => Document = documentOf,
  each = () => writer,
): Map<string, Written> => {
  const files = new Map<string, { chunks: Buffer[]; rows: number }>([[MAIN, { chunks: [], rows: 0 }]]);
  const put: Parameters<Writer["begin"]>[0] = (data, { rows = 0, file = MAIN } = {}) => {
    // Encoding would mend it in silence here, and need not elsewhere.
    if (typeof data === "string" && !data.isWellFormed()) throw new Error("a piece with half a character");
    const entry = files.get(file) ?? { chunks: [], rows: 0 };
    entry.chunks.push(Buffer.from(data));
    entry.rows += rows;
    files.set(file, entry);
  };
  writer.begin(put);
  for (const [at, transcript] of transcripts.entries()) {
    const { between, item } = each();
    if (at > 0 && between !== undefined) put(between);
    const putItem: Parameters<Writer["item"]>[1] = (data, options) => {
      if (typeof data === "string" || data instanceof Uint8Array) return put(data, options);
      for (const text of data.pieces()) put(text, { ...options, rows: 0 });
      put("", options);
    };
    item(transcript, putItem, { document: document(transcript) });
  }
  writer.end(put, transcripts.length);
  return new Map(
    [...files].map(([name, { chunks, rows }]) => [name, { text: Buffer.concat(chunks).toString(), rows }]),
  );
};

/** What a writer says became of each transcript. */
export const notesOf = (writer: Writer, transcripts: readonly Transcript[]): (Note | undefined)[] =>
  transcripts.map((transcript) => writer.item(transcript, () => {}, { document: documentOf(transcript) }));

export const mainText = (files: Map<string, Written>): string => files.get(MAIN)?.text ?? "";
