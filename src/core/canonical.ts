import { wellFormed } from "./text.ts";
import { isObject, type Json, type JsonObject } from "./transcript.ts";

/**
JSON text that is the same for the same content: keys sorted, no spaces, every string well-formed.

Two records are the same record if their canonical texts are equal, however they were sent.

@throws RangeError when nested deeper than `wellFormed` allows
*/
export const canonicalJson = (value: JsonObject): string => JSON.stringify(sorted(wellFormed(value)));

const sorted = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  // fromEntries defines keys where assignment would run the setter of `__proto__`.
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key] as Json)]),
  );
};
