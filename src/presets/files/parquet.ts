import type { SchemaElement } from "hyparquet-writer";
import type { Put } from "../../core/ports.ts";
import type { Json, JsonObject } from "../../core/transcript.ts";
import { type Columns, type Field, toColumns } from "./parquet-columns.ts";

/** Rows per group: they are kept in memory, and a reader reads at least one group. */
const GROUP_ROWS = 1000;
/** A group ends earlier if its rows have more characters together. */
const GROUP_LENGTH = 32 * 1024 * 1024;

export interface ParquetOptions {
  /** The file's name for `put`. @default the writer's main file */
  file?: string;
  /** The program that wrote the file, for example `callarchive version 1.0.0`. */
  createdBy?: string;
}

export interface ParquetFile {
  /**
  @param length about how many characters the row has; @default 0
  @throws TypeError for a key without a column, at any depth.
  */
  add(row: JsonObject, length?: number): void;
  /** Bytes given to `put` so far, without the rows of the group in memory. */
  readonly bytes: number;
  /** Writes the last group and the footer, without which the file cannot be read. */
  end(): void;
}

/**
Creates a Parquet file (Snappy) with groups of 1,000 rows. The schema is given, not guessed from the first rows: a guess
would differ between files if a column is empty in one of them.

Same rows, same bytes. Lone surrogates become U+FFFD.
*/
export const createParquet = async (
  columns: Columns,
  put: Put,
  { file, createdBy = "callarchive" }: ParquetOptions = {},
): Promise<ParquetFile> => {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const names = Object.keys(columns);
  let rows: JsonObject[] = [];
  let waiting = 0;
  /** Rows of the group that is being written. */
  let completed = 0;

  const buffer = new ByteWriter();
  const flush = (): void => {
    // Copied, because the buffer is reused. It may be empty at the end of the file.
    const data = buffer.getBytes().slice();
    buffer.index = 0;
    if (data.length > 0) put(data, { rows: completed, ...(file !== undefined && { file }) });
    completed = 0;
  };
  const parquet = new ParquetWriter({
    writer: Object.assign(buffer, { flush, finish: flush }),
    schema: [{ name: "schema", num_children: names.length }, ...elementsOf(columns)],
    createdBy,
    // Statistics help only range queries, which make no sense for conversations.
    statistics: false,
  });

  const writeGroup = (): void => {
    if (rows.length === 0) return;
    completed = rows.length;
    const columnData = names.map((name) => ({ name, data: rows.map((row): Json => row[name] ?? null) }));
    parquet.write({ columnData, rowGroupSize: GROUP_ROWS });
    rows = [];
    waiting = 0;
  };

  return {
    add: (row, length = 0) => {
      waiting += length;
      if (rows.push(toColumns(row, columns)) >= GROUP_ROWS || waiting >= GROUP_LENGTH) writeGroup();
    },
    get bytes() {
      return buffer.offset;
    },
    end: () => {
      writeGroup();
      parquet.finish();
    },
  };
};

const elementsOf = (columns: Columns): SchemaElement[] =>
  Object.entries(columns).flatMap(([name, field]) => elements(name, field));

/** The schema, depth first. `list` and `element` are the names in the Parquet specification. */
const elements = (name: string, field: Field): SchemaElement[] => {
  const repetition_type = "OPTIONAL";
  switch (field) {
    case "string":
    case "json":
      return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" }, repetition_type }];
    case "number":
      return [{ name, type: "DOUBLE", repetition_type }];
    case "integer":
      return [{ name, type: "INT32", repetition_type }];
    case "boolean":
      return [{ name, type: "BOOLEAN", repetition_type }];
    default:
      if ("struct" in field)
        return [{ name, num_children: Object.keys(field.struct).length, repetition_type }, ...elementsOf(field.struct)];
      return [
        { name, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" }, repetition_type },
        { name: "list", num_children: 1, repetition_type: "REPEATED" },
        ...elements("element", field.list),
      ];
  }
};
