import { UsageError } from "./errors.ts";

/**
How long an id may be, in bytes of UTF-8.

Ids of the service have 36. A document may carry anything as its id, and an id is a key of the archive and part of every
row, message and file name.
*/
const MAX_ID_BYTES = 1024;

/** Whether a text can be the id of a conversation or record: not empty, not too long, and without NUL, where databases cut texts. */
export const isUsableId = (id: string): boolean =>
  id !== "" && id.length <= MAX_ID_BYTES && !id.includes("\0") && Buffer.byteLength(id) <= MAX_ID_BYTES;

/** @throws UsageError when one of these ids is not usable; absent ids are not checked */
export const checkIds = (ids: readonly (string | undefined)[]): void => {
  for (const id of ids)
    if (id !== undefined && !isUsableId(id))
      throw new UsageError(
        `Not an id: ${JSON.stringify(id.slice(0, 40))} (${Buffer.byteLength(id)} bytes). An id has 1 to ${MAX_ID_BYTES} bytes and no NUL.`,
      );
};
