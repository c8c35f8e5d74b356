import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";
import { kindOf } from "./rule.ts";

/** A message of a row, independent of the preset's names. */
export interface RowMessage {
  /** For people: `messages[2]`. */
  where: string;
  role: Json | undefined;
  content: Json | undefined;
  message: JsonObject;
}

/** Returns the messages of a row, or a text that says why there are none. */
export type View = (row: JsonObject) => RowMessage[] | string;

interface Names {
  role: string;
  content: string;
}

export const CHAT: Names = { role: "role", content: "content" };
export const SHAREGPT: Names = { role: "from", content: "value" };

/** A view of the messages in the lists under these keys, in order. */
export const viewOf = (keys: readonly string[], names: Names): View => {
  // Remembers the last row, because every rule reads its messages.
  let last: { row: JsonObject; messages: RowMessage[] | string } | undefined;
  return (row) => {
    if (last?.row !== row) last = { row, messages: look(row, keys, names) };
    return last.messages;
  };
};

const look = (row: JsonObject, keys: readonly string[], names: Names): RowMessage[] | string => {
  const messages: RowMessage[] = [];
  for (const key of keys) {
    const list = row[key];
    if (!Array.isArray(list)) return `${key} is ${kindOf(list)}, not a list`;
    if (list.length === 0) return `${key} is an empty list`;
    for (const [index, item] of list.entries()) {
      const where = `${key}[${index}]`;
      if (!isObject(item)) return `${where} is ${kindOf(item)}, not an object`;
      messages.push({ where, role: item[names.role], content: item[names.content], message: item });
    }
  }
  return messages;
};
