import type { ItemPut } from "../core/ports.ts";

/** How long a piece gets before the next one begins, in characters: what a file's buffer takes without growing. */
const PIECE = 64 * 1024;
/** How much text of one transcript is held, in characters; of a longer one the pieces are made while it is written. */
const HELD = 4 * 1024 * 1024;

export interface Parts {
  count: number;
  /** The text of one part. Asked again for a long text, and gives the same then. */
  part: (at: number) => string;
  /** How many rows all parts make together. @default each part is one */
  rows?: number;
}

/**
Puts a text that is made of parts, in pieces of bounded length.

Nothing is put before every part has been made once: one that cannot be made leaves nothing half-written.
*/
export const putParts = (put: ItemPut, { count, part, rows }: Parts): void => {
  const pieces: { data: string; rows: number }[] = [];
  let text = "";
  let first = 0;
  let length = 0;
  let at = 0;
  for (; at < count && length <= HELD; at += 1) {
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
