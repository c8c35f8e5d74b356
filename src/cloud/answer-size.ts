import { isObject, type Json } from "../core/transcript.ts";

/** Whether the texts of a parsed answer are longer than `limit`, in UTF-16 units. Keys and each value count too. */
export const isLarger = (answer: Json, limit: number): boolean => {
  // A stack instead of recursion, because an answer may be nested to any depth.
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
