import type { Writer } from "../core/ports.ts";
import type { SampleResult } from "../core/sample.ts";
import { jsonOf } from "../core/text.ts";
import type { Transcript } from "../core/transcript.ts";

export interface WriterOptions {
  /** One line per call or per turn, where the format has both. @default "call" */
  rows?: "call" | "turn";
  /** Begin with a byte order mark, as Excel wants it to read UTF-8. @default false */
  csvBom?: boolean;
  /** Put an apostrophe before cells that a spreadsheet would run as formulas. @default true */
  csvGuard?: boolean;
  /** Makes a fine-tuning sample of a transcript; required for `messages`. */
  toSample?: (transcript: Transcript) => SampleResult;
  /** File beside the samples that names every dropped or changed call; `null`: none. @default "messages.report.ndjson" */
  report?: string | null;
  /** The output is one file or stdout, not a folder. @default false */
  single?: boolean;
}

export type IdStyle = "json-lines" | "csv-column" | "checksums";

/** A format in the registry. */
export interface WriterShape {
  create(options: WriterOptions): Writer;
  /** The main file's name inside an output folder; for `raw`, the list of its files. */
  file: string;
  /** Further files that it may write beside the main file. */
  sidecars: readonly string[];
  /** One line for the help. */
  summary: string;
  /** Endings of `-o` that choose this format. */
  extensions: readonly string[];
  /** Whether personal data can be replaced; false if documents stay byte for byte. */
  redactable: boolean;
  /**
  How its main file names its calls, in a folder and as the only file: by `id` or `callId` of each line's JSON, by a column
  `call_id`, or as the files of a list in the form of `sha256sum`. Absent where it does not name them.
  */
  ids: { folder?: IdStyle; file?: IdStyle };
  /** Whether it makes fine-tuning samples, which are counted. */
  samples: boolean;
}

/** One line of JSON with well-formed strings. */
export const jsonLine = (value: object): string => `${jsonOf(value)}\n`;
