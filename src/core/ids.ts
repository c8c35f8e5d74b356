import { UsageError } from "./errors.ts";

/**
How long an id may be, in bytes of UTF-8.

Ids of the service have 36. A document may carry anything as its id, and an id is a key of the archive and part of every
row, message and file name.
*/
const MAX_ID_BYTES = 1024;

/** Whether a text can be the id of a call: not empty, not too long, and without NUL, where databases cut texts. */
export const isUsableId = (id: string): boolean =>
  id !== "" && id.length <= MAX_ID_BYTES && !id.includes("\0") && Buffer.byteLength(id) <= MAX_ID_BYTES;

/** @throws UsageError when one of these ids is not usable */
export const checkIds = (calls: readonly { instanceId?: string }[]): void => {
  for (const { instanceId } of calls)
    if (instanceId !== undefined && !isUsableId(instanceId))
      throw new UsageError(
        `Not an instance id: ${JSON.stringify(instanceId.slice(0, 40))} (${Buffer.byteLength(instanceId)} bytes). An id has 1 to ${MAX_ID_BYTES} bytes and no NUL.`,
      );
};
