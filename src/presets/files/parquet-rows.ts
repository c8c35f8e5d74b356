import type { AsyncBuffer } from "hyparquet";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** Rows that are read together: a page of a column can hold many more. */
const BATCH = 1000;

/**
The rows of a Parquet file, in order. Keys without a value are left out, as if the row did not have them; integers and
times become numbers and texts, as in JSON.

Memory holds one row group: writers of data sets make groups of 1,000 rows, others of up to a million.

@throws Error if it is no Parquet file, is damaged, or is compressed by anything but Snappy
*/
export async function* parquetRows(file: AsyncBuffer): AsyncGenerator<JsonObject> {
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const metadata = await parquetMetadataAsync(file);
  let first = 0;
  for (const group of metadata.row_groups) {
    const end = first + Number(group.num_rows);
    for (let rowStart = first; rowStart < end; rowStart += BATCH) {
      const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd: Math.min(end, rowStart + BATCH) });
      for (const row of rows) {
        const json = jsonOf(row);
        if (isObject(json)) yield json;
      }
    }
    first = end;
  }
}

const jsonOf = (value: unknown): Json => {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        item === null || item === undefined ? [] : [[key, jsonOf(item)]],
      ),
    );
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
};
