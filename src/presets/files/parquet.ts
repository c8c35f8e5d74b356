import type { SchemaElement } from "hyparquet-writer";
import type { Put } from "../../core/ports.ts";
import type { Json, JsonObject } from "../../core/transcript.ts";
import { type Columns, type Field, fitted } from "./parquet-columns.ts";

/** Rows held in memory, and what a reader must read at least. */
const GROUP_ROWS = 1000;
/** A group ends earlier when its rows are long: about so many characters. */
const GROUP_LENGTH = 32 * 1024 * 1024;

export interface ParquetOptions {
  /** The file's name for `put`; the writer's main file without it. */
  file?: string;
  /** The program that wrote the file, for example `callarchive version 1.0.0`. */
  createdBy?: string;
}

export interface ParquetFile {
  /**
  @param length about how many characters it has; @default 0
  @throws TypeError for a key, at any depth, that has no column.
  */
  add(row: JsonObject, length?: number): void;
  /** Bytes given to `put` so far; up to a thousand rows wait besides. */
  readonly bytes: number;
  /** Writes what waits, and the footer, without which nobody can read the file. */
  end(): void;
}

/**
A Parquet file (Snappy), written in groups of 1,000 rows. The schema is given and not guessed from the first rows: in
another shard or split a column that happens to be empty would have another type there.

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
    // A copy: the buffer is used again. It is empty when a group ends just where the file does.
    const data = buffer.getBytes().slice();
    buffer.index = 0;
    if (data.length > 0) put(data, { rows: completed, ...(file !== undefined && { file }) });
    completed = 0;
  };
  const parquet = new ParquetWriter({
    writer: Object.assign(buffer, { flush, finish: flush }),
    schema: [{ name: "schema", num_children: names.length }, ...elementsOf(columns)],
    createdBy,
    // Nobody looks for a conversation between two others.
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
      if (rows.push(fitted(row, columns)) >= GROUP_ROWS || waiting >= GROUP_LENGTH) writeGroup();
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

/** The schema, depth first, with the names that the format's specification gives to the levels of a list. */
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
