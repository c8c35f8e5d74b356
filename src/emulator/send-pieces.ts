import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Dice } from "./faults.ts";

/**
Sends a body while it is computed, as fast as the other side takes it.

@param ending how the body breaks off in its middle: with a reset, or with an end that comes too early
*/
export const sendPieces = (
  response: ServerResponse,
  { status, headers, pieces }: Answer,
  ending: "reset" | "cut" | undefined,
  dice: Pick<Dice, "breakOff">,
): void => {
  const bytes = Number(headers["content-length"]);
  const stopAfter = ending ? Math.floor(bytes / 2) : dice.breakOff(bytes);
  response.writeHead(status, headers);
  const write = async (): Promise<void> => {
    let left = stopAfter ?? bytes;
    for (const piece of pieces?.() ?? []) {
      if (left <= 0 || response.destroyed) break;
      if (!response.write(piece.subarray(0, left))) await once(response, "drain", { signal: closed.signal });
      left -= piece.length;
    }
    if (stopAfter === undefined) response.end();
    // An empty write, so that what was written before has left.
    else response.write("", () => (ending === "reset" ? response.socket?.resetAndDestroy() : response.socket?.end()));
  };
  // A reader that leaves never drains.
  const closed = new AbortController();
  response.once("close", () => closed.abort());
  write().catch(() => response.destroy());
};
