import { isObject, type Json } from "../core/transcript.ts";

/** Whether a parsed answer holds more text than that, in UTF-16 units, its keys and a little for each value included. */
export const isLarger = (answer: Json, limit: number): boolean => {
  // A list of what is left to do, not recursion: an answer may be nested as deep as its sender likes.
  const pending: Json[] = [answer];
  let length = 0;
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    length += typeof value === "string" ? value.length + 2 : 2;
    if (Array.isArray(value)) for (const item of value) pending.push(item);
    else if (isObject(value))
      for (const [key, item] of Object.entries(value)) {
        length += key.length + 4;
        pending.push(item);
      }
    if (length > limit) return true;
  }
  return false;
};
