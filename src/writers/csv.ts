import type { Writer } from "../core/ports.ts";
import type { Transcript, Turn } from "../core/transcript.ts";
import { type CallColumn, type Cell, csvColumns, type TurnColumn } from "./csv-columns.ts";
import { putParts } from "./long.ts";
import type { WriterOptions, WriterShape } from "./shape.ts";

/** What spreadsheets take for a formula, full-width signs included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** What only fits between quotes; blanks at an end, because some readers cut them off. */
const QUOTED = /[",\r\n\uFEFF]|^ | $/;

/** Either of these, and what may be half a character: nearly every cell holds nothing of the kind. */
const SPECIAL = /[",\r\n\uFEFF\ud800-\udfff]|^[ =+\-@\t＝＋－＠]| $/;

/** The columns in order: each of a turn alone, those of the call that stand side by side together. */
const LAYOUT = csvColumns.reduce<(CallColumn[] | TurnColumn)[]>((layout, column) => {
  const last = layout.at(-1);
  if ("ofTurn" in column) layout.push(column);
  else if (Array.isArray(last)) last.push(column);
  else layout.push([column]);
  return layout;
}, []);

/** A turn a row, a header always, lines ended by `\n`. */
const create = ({ csvBom = false, csvGuard = true }: WriterOptions): Writer => {
  const text = (cell: Cell): string => {
    if (typeof cell !== "string") return cell === undefined ? "" : String(cell);
    if (!SPECIAL.test(cell)) return cell;
    const own = cell.toWellFormed();
    if (csvGuard && FORMULA.test(own)) return `"'${own.replaceAll('"', '""')}"`;
    return QUOTED.test(own) ? `"${own.replaceAll('"', '""')}"` : own;
  };
  /** What is the call's is written once, and joined to each of its turns. */
  const rowOf = (call: Transcript): ((turn?: Turn, place?: number) => string) => {
    const pieces = LAYOUT.map((piece) =>
      Array.isArray(piece) ? piece.map(({ ofCall }) => text(ofCall(call))).join(",") : piece,
    );
    return (turn, place = 0) => {
      let line = "";
      let comma = "";
      for (const piece of pieces) {
        if (typeof piece === "string") line += comma + piece;
        else line += turn ? comma + text(piece.ofTurn(turn, place)) : comma;
        comma = ",";
      }
      return `${line}\n`;
    };
  };
  return {
    begin: (put) => put(`${csvBom ? "\uFEFF" : ""}${csvColumns.map(({ name }) => name).join(",")}\n`),
    item: (transcript, put) => {
      const { turns } = transcript;
      const row = rowOf(transcript);
      // Rows repeat what is the call's: a document of a few MB may make gigabytes.
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
