import { csv } from "./csv.ts";
import { messages } from "./messages.ts";
import { ndjson } from "./ndjson.ts";
import { raw } from "./raw.ts";
import type { WriterShape } from "./shape.ts";

export { csvColumns } from "./csv-columns.ts";
export type { IdStyle, WriterOptions, WriterShape } from "./shape.ts";

/** Every output format: adding one is adding one file and one line. */
export const writers = { ndjson, csv, messages, raw } satisfies Record<string, WriterShape>;

export type WriterName = keyof typeof writers;
