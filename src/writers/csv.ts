import Papa from "papaparse";
import type { Put, Writer } from "../core/ports.ts";
import { type Cell, csvColumns, csvRows } from "./csv-columns.ts";
import type { WriterOptions } from "./shape.ts";

/** Papa's cost per call is spread over this many rows. */
const BATCH_ROWS = 5_000;
/** Long calls are not held back: a batch is also full at this many characters. */
const BATCH_CHARACTERS = 4 * 1024 * 1024;

/**
What spreadsheets take for a formula, full-width signs included.

Papa's own pattern ends in `.*$`, and so lets every text of more than one line pass.
*/
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** A turn a row, a header always, lines ended by `\n`. */
export const csv = ({ csvBom = false, csvGuard = true }: WriterOptions): Writer => {
  let batch: Cell[][] = [];
  let characters = 0;
  const lines = (rows: Cell[][]): string =>
    `${Papa.unparse(rows, { newline: "\n", escapeFormulae: csvGuard ? FORMULA : false })}\n`;
  const flush = (put: Put): void => {
    if (batch.length > 0) put(lines(batch), { rows: batch.length });
    batch = [];
    characters = 0;
  };
  return {
    begin: (put) => put((csvBom ? "\uFEFF" : "") + lines([csvColumns.map(({ name }) => name)])),
    item: (transcript, put) => {
      for (const row of csvRows(transcript)) {
        batch.push(row);
        for (const cell of row) if (typeof cell === "string") characters += cell.length;
        if (batch.length >= BATCH_ROWS || characters >= BATCH_CHARACTERS) flush(put);
      }
    },
    end: flush,
  };
};
