import type { SchemaElement } from "hyparquet-writer";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** The type of a column or of a part of it. Each may be null. `json` is any value as JSON text. */
export type Field =
  | "string"
  | "number"
  | "integer"
  | "boolean"
  | "json"
  | { readonly list: Field }
  | { readonly struct: Columns };

/** The columns in the order of the file. */
export type Columns = { readonly [name: string]: Field };

/** What the rows of a preset may contain besides texts; the same for all files of a data set. */
export interface RowOptions {
  /** The key that says whether a turn is learned. */
  loss?: "loss" | "train" | "weight";
  /** Some rows have tool calls. @default false */
  tools?: boolean;
  /** `content` as `[{"text": …}]`. @default false */
  parts?: boolean;
}

/** The column type of chat messages, which every reader of data sets knows: list<struct<role: string, content: string>>. */
export const messageList = ({ loss, tools = false, parts = false }: RowOptions = {}): Field => ({
  list: {
    struct: {
      role: "string",
      content: parts ? { list: { struct: { text: "string" } } } : "string",
      ...(tools && { tool_calls: TOOL_CALLS, tool_call_id: "string" }),
      ...(loss !== undefined && { [loss]: loss === "weight" ? "integer" : "boolean" }),
    },
  },
});

/** Arguments are JSON text as in OpenAI's format, because a schema cannot describe the arguments of all tools. */
const TOOL_CALLS: Field = {
  list: { struct: { id: "string", type: "string", function: { struct: { name: "string", arguments: "json" } } } },
};

const CONVERSATIONS: Field = { list: { struct: { from: "string", value: "string" } } };

/** The columns of a preset's rows; by default those of chat messages. */
export const columnsOf = (preset: string, options: RowOptions = {}): Columns => {
  switch (preset) {
    case "trl":
      return { prompt: messageList(options), completion: messageList(options) };
    case "llama-factory":
      return { conversations: CONVERSATIONS, system: "string" };
    case "sharegpt":
      return { conversations: CONVERSATIONS };
    case "alpaca":
      return {
        instruction: "string",
        input: "string",
        output: "string",
        history: { list: { list: "string" } },
        system: "string",
      };
    default:
      return { messages: messageList(options) };
  }
};

/** The columns of a file that `createParquet` wrote, by its schema. @throws TypeError for a schema that it does not write */
export const columnsIn = (schema: readonly SchemaElement[]): Columns => {
  let at = 0;
  const take = (): SchemaElement => schema[at++] ?? mismatch();
  const fields = (count = 0): Columns =>
    Object.fromEntries(
      Array.from({ length: count }, (): [string, Field] => {
        const element = take();
        return [element.name, fieldOf(element)];
      }),
    );
  const fieldOf = (element: SchemaElement): Field => {
    if (element.converted_type === "LIST") {
      take();
      return { list: fieldOf(take()) };
    }
    if (element.num_children !== undefined) return { struct: fields(element.num_children) };
    return (element.type !== undefined && TYPES[element.type]) || mismatch();
  };
  return fields(take().num_children);
};

const TYPES: Readonly<Record<string, Field>> = {
  BYTE_ARRAY: "string",
  DOUBLE: "number",
  INT32: "integer",
  BOOLEAN: "boolean",
};

/**
A row with exactly the given columns.

@throws TypeError for a key without a column, at any depth, because it would be lost silently.
*/
export const toColumns = (row: JsonObject, columns: Columns): JsonObject => {
  const unknown = Object.keys(row).find((key) => !Object.hasOwn(columns, key));
  if (unknown !== undefined) throw new TypeError(`The Parquet file has no column for "${unknown.slice(0, 40)}".`);
  return Object.fromEntries(Object.entries(columns).map(([name, field]) => [name, toField(row[name], field)]));
};

const toField = (value: Json | undefined, field: Field): Json => {
  if (value === undefined || value === null) return null;
  if (field === "json") return typeof value === "string" ? value : JSON.stringify(value);
  if (typeof field === "string") return value;
  if ("list" in field) return Array.isArray(value) ? value.map((item) => toField(item, field.list)) : mismatch();
  return isObject(value) ? toColumns(value, field.struct) : mismatch();
};

const mismatch = (): never => {
  throw new TypeError("A row does not have the shape of the Parquet file's columns.");
};
