import type { Writer } from "../core/ports.ts";
import type { Transcript, Turn } from "../core/transcript.ts";
import { type CallColumn, type Cell, csvColumns, type TurnColumn } from "./csv-columns.ts";
import { putParts } from "./long.ts";
import type { WriterOptions, WriterShape } from "./shape.ts";

/** Cells that a spreadsheet would read as a formula, full-width signs included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** Cells that need quotes; also for blanks at an end, because some readers remove them. */
const QUOTED = /[",\r\n\uFEFF]|^ | $/;

/** A quick test for both, and for lone surrogates, because almost no cell needs any of this. */
const SPECIAL = /[",\r\n\uFEFF\ud800-\udfff]|^[ =+\-@\t＝＋－＠]| $/;

/** The columns in order; neighbouring columns of the call are grouped. */
const LAYOUT = csvColumns.reduce<(CallColumn[] | TurnColumn)[]>((layout, column) => {
  const last = layout.at(-1);
  if ("ofTurn" in column) layout.push(column);
  else if (Array.isArray(last)) last.push(column);
  else layout.push([column]);
  return layout;
}, []);

/** One row per turn, always with a header; lines end with `\n`. */
const create = ({ csvBom = false, csvGuard = true }: WriterOptions): Writer => {
  const special = (cell: string): string => {
    const own = cell.toWellFormed();
    if (csvGuard && FORMULA.test(own)) return `"'${own.replaceAll('"', '""')}"`;
    return QUOTED.test(own) ? `"${own.replaceAll('"', '""')}"` : own;
  };
  const text = (cell: Exclude<Cell, undefined>): string =>
    typeof cell === "string" && SPECIAL.test(cell) ? special(cell) : String(cell);
  const textOfCall = (call: Transcript, columns: readonly CallColumn[]): string =>
    columns
      .map(({ ofCall }) => {
        const cell = ofCall(call);
        return cell === undefined ? "" : text(cell);
      })
      .join(",");
  /** The text of the call's columns is made once, and reused for each turn. */
  const rowOf = (call: Transcript): ((turn?: Turn, place?: number) => string) => {
    // Each piece but the first brings the comma before it.
    const pieces = LAYOUT.map((piece, at) =>
      Array.isArray(piece) ? `${at > 0 ? "," : ""}${textOfCall(call, piece)}` : piece,
    );
    return (turn, place = 0) => {
      let line = "";
      for (const piece of pieces) {
        if (typeof piece === "string") {
          line += piece;
          continue;
        }
        const cell = turn && piece.ofTurn(turn, place);
        // Most cells at the end of a row are empty.
        line += cell === undefined ? "," : `,${text(cell)}`;
      }
      return `${line}\n`;
    };
  };
  return {
    begin: (put) => put(`${csvBom ? "\uFEFF" : ""}${csvColumns.map(({ name }) => name).join(",")}\n`),
    item: (transcript, put) => {
      const { turns } = transcript;
      const row = rowOf(transcript);
      // Written in parts: the columns of the call repeat in every row, so a document of a few MB may give gigabytes.
      if (turns.length === 0) put(row(), { rows: 1 });
      else putParts(put, { count: turns.length, part: (at) => row(turns[at], at + 1) });
      return undefined;
    },
    end: () => {},
  };
};

export const csv = {
  create,
  file: "transcripts.csv",
  sidecars: [],
  summary: "a table with one row per turn, for spreadsheets and databases",
  extensions: [".csv"],
  redactable: true,
  ids: { folder: "csv-column", file: "csv-column" },
  samples: false,
} satisfies WriterShape;
