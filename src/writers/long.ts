import type { ItemPut } from "../core/ports.ts";

/** The length of a piece in characters; a file's buffer takes it without growing. */
const PIECE = 64 * 1024;
/** How much text of one transcript is kept in memory, in characters. The pieces of longer text are made again on writing. */
const MOST_HELD = 4 * 1024 * 1024;

export interface Parts {
  count: number;
  /** The text of one part. Called twice for long texts, and must return the same. */
  part: (at: number) => string;
  /** How many rows all parts are together. @default one per part */
  rows?: number;
}

/**
Writes a text that consists of parts, in pieces of bounded length.

Every part is made once before anything is written, so that a part that fails leaves nothing half-written.
*/
export const putParts = (put: ItemPut, { count, part, rows }: Parts): void => {
  const pieces: { data: string; rows: number }[] = [];
  let text = "";
  let first = 0;
  let length = 0;
  let at = 0;
  for (; at < count && length <= MOST_HELD; at += 1) {
    const next = part(at);
    if (text !== "" && text.length + next.length > PIECE) {
      pieces.push({ data: text, rows: at - first });
      text = "";
      first = at;
    }
    text += next;
    length += next.length;
  }
  if (at === count) {
    pieces.push({ data: text, rows: at - first });
    for (const [place, piece] of pieces.entries())
      put(piece.data, { rows: rows === undefined ? piece.rows : place === 0 ? rows : 0 });
    return;
  }
  for (; at < count; at += 1) part(at);
  put({ pieces: () => joined(count, part) }, { rows: rows ?? count });
};

function* joined(count: number, part: (at: number) => string): Generator<string> {
  let text = "";
  for (let at = 0; at < count; at += 1) {
    const next = part(at);
    if (text !== "" && text.length + next.length > PIECE) {
      yield text;
      text = "";
    }
    text += next;
  }
  yield text;
}
