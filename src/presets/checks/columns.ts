import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** The JSON type of a value. */
export const typeOf = (value: Json | undefined): string =>
  value === null || value === undefined ? "null" : Array.isArray(value) ? "list" : typeof value;

/** The columns of a row for readers of tables: `messages`, `messages[].role`. Deeper levels do not matter. */
export function* columnsOf(row: JsonObject): Generator<[path: string, value: Json | undefined]> {
  for (const [key, value] of Object.entries(row)) {
    yield [key, value];
    if (!Array.isArray(value)) continue;
    for (const item of value) {
      if (isObject(item)) for (const [inner, part] of Object.entries(item)) yield [`${key}[].${inner}`, part];
      else yield [`${key}[]`, item];
    }
  }
}

/** The columns of a file, to compare the files of a folder. */
export interface Columns {
  /** The types by path; a list without items has the type `empty list`. */
  types: Map<string, Set<string>>;
}

/** How many columns are remembered, so that memory stays small. */
const MOST_COLUMNS = 1_000;

export const createColumns = (): Columns & { add(row: JsonObject): void } => {
  const types = new Map<string, Set<string>>();
  return {
    types,
    add: (row) => {
      for (const [path, value] of columnsOf(row)) {
        let met = types.get(path);
        if (met === undefined) {
          if (types.size >= MOST_COLUMNS) continue;
          met = new Set();
          types.set(path, met);
        }
        met.add(Array.isArray(value) && value.length === 0 ? "empty list" : typeOf(value));
      }
    },
  };
};
