import { csv } from "./csv.ts";
import { messages, REPORT } from "./messages.ts";
import { ndjson } from "./ndjson.ts";
import { LIST, raw } from "./raw.ts";
import type { WriterShape } from "./shape.ts";

export { csvColumns } from "./csv-columns.ts";
export type { IdStyle, WriterOptions, WriterShape } from "./shape.ts";

/** Every output format: adding one is adding one file and one line. */
export const writers = {
  ndjson: {
    create: ndjson,
    file: "transcripts.ndjson",
    sidecars: [],
    summary: "transcripts, one JSON object per line (per turn with --rows turn)",
    extensions: [".ndjson"],
    redactable: true,
    ids: { folder: "json-lines", file: "json-lines" },
    samples: false,
  },
  csv: {
    create: csv,
    file: "transcripts.csv",
    sidecars: [],
    summary: "a table with one row per turn, for spreadsheets and databases",
    extensions: [".csv"],
    redactable: true,
    ids: { folder: "csv-column", file: "csv-column" },
    samples: false,
  },
  messages: {
    create: messages,
    file: "messages.jsonl",
    sidecars: [REPORT],
    summary: 'fine-tuning samples, one {"messages": […]} per line',
    extensions: [".jsonl"],
    redactable: true,
    ids: {},
    samples: true,
  },
  raw: {
    create: raw,
    file: LIST,
    sidecars: [],
    summary: "the service's own documents: a file per call, or one JSON array",
    extensions: [".json"],
    redactable: false,
    // One array holds its ids only inside the documents.
    ids: { folder: "checksums" },
    samples: false,
  },
} satisfies Record<string, WriterShape>;

export type WriterName = keyof typeof writers;
