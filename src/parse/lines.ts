import { InvalidDocument } from "../core/errors.ts";
import { DOCUMENT_LIMIT } from "../core/text.ts";

/**
The lines of a byte stream, without their ends (`\n` or `\r\n`) and without a byte order mark.

Chunks may end anywhere, also inside a character. Bytes that are not UTF-8 become U+FFFD, so that one bad line does not
affect the others. Empty lines are yielded, but not after the last `\n`.

@throws InvalidDocument with code `LineTooLong` when a line has more than `limit` characters (default 64 M).
*/
export async function* lines(chunks: AsyncIterable<Uint8Array>, limit = DOCUMENT_LIMIT): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // Pieces of the current line, joined once: joining at every chunk takes quadratic time for a long line.
  let pieces: string[] = [];
  let length = 0;
  const add = (piece: string): void => {
    length += piece.length;
    if (length > limit) throw new InvalidDocument(`a line has more than ${limit} characters`, "LineTooLong");
    pieces.push(piece);
  };
  const takeLine = (): string => {
    const line = pieces.join("");
    pieces = [];
    length = 0;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  };
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      add(text.slice(from, end));
      yield takeLine();
      from = end + 1;
    }
    add(text.slice(from));
  }
  add(decoder.decode());
  if (length > 0) yield takeLine();
}
