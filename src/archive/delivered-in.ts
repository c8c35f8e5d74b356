import type { Db } from "./open.ts";
import { firstRow } from "./rows.ts";

/**
Finds the part in which a destination received an item first; undefined when it has not received it.

Spans of one destination never overlap: only the last span that begins at or before an item can contain it.
*/
export const deliveredIn = (db: Db): ((destination: number, item: number) => number | undefined) => {
  const lastSpan = db.prepare(
    "select last, part from deliveries where destination = ? and first <= ? order by first desc, part desc limit 1",
  );
  return (destination, item) => {
    const span = firstRow<{ last: number; part: number }>(lastSpan.get(destination, item));
    return span && span.last >= item ? span.part : undefined;
  };
};
