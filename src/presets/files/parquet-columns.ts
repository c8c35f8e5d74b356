import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";

/** What a column, or a part of one, holds. Each may be null. `json` is any value, as JSON text. */
export type Field =
  | "string"
  | "number"
  | "integer"
  | "boolean"
  | "json"
  | { readonly list: Field }
  | { readonly struct: Columns };

/** In the order of the file. */
export type Columns = { readonly [name: string]: Field };

/** What rows of a preset may hold beside the texts: the same for all files of a data set. */
export interface RowOptions {
  /** The key that says what is to be learned. */
  loss?: "loss" | "train" | "weight";
  /** Some rows have calls of tools. @default false */
  tools?: boolean;
  /** `content` as `[{"text": …}]`. @default false */
  parts?: boolean;
}

/** The columns of chat messages, as every reader of data sets knows them: list<struct<role: string, content: string>>. */
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

/** Arguments differ from tool to tool, which no schema can say: they are text, as OpenAI has them anyway. */
const TOOL_CALLS: Field = {
  list: { struct: { id: "string", type: "string", function: { struct: { name: "string", arguments: "json" } } } },
};

const CONVERSATIONS: Field = { list: { struct: { from: "string", value: "string" } } };

/** The columns of a preset's rows; for presets that are not named here, those of chat messages. */
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

/**
A row as its columns have it.

@throws TypeError for a key that has no column, at any depth: it would be lost in silence.
*/
export const fitted = (row: JsonObject, columns: Columns): JsonObject => {
  const stray = Object.keys(row).find((key) => !Object.hasOwn(columns, key));
  if (stray !== undefined) throw new TypeError(`The Parquet file has no column for "${stray.slice(0, 40)}".`);
  return Object.fromEntries(Object.entries(columns).map(([name, field]) => [name, fittedValue(row[name], field)]));
};

const fittedValue = (value: Json | undefined, field: Field): Json => {
  if (value === undefined || value === null) return null;
  if (field === "json") return typeof value === "string" ? value : JSON.stringify(value);
  if (typeof field === "string") return value;
  if ("list" in field) return Array.isArray(value) ? value.map((item) => fittedValue(item, field.list)) : mismatch();
  return isObject(value) ? fitted(value, field.struct) : mismatch();
};

const mismatch = (): never => {
  throw new TypeError("A row does not have the shape of the Parquet file's columns.");
};
