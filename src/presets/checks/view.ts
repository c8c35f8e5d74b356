import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";
import { kindOf } from "./rule.ts";

/** A message of a row, whatever the preset calls its parts. */
export interface Seen {
  /** For people: `messages[2]`. */
  where: string;
  role: Json | undefined;
  content: Json | undefined;
  message: JsonObject;
}

/** The messages of a row; a text says why there are none. */
export type View = (row: JsonObject) => Seen[] | string;

interface Names {
  role: string;
  content: string;
}

export const CHAT: Names = { role: "role", content: "content" };
export const SHAREGPT: Names = { role: "from", content: "value" };

/** Messages that are lists under these keys, one after the other. */
export const viewOf = (keys: readonly string[], names: Names): View => {
  // Every rule asks for the row's messages: they are made once.
  let last: { row: JsonObject; seen: Seen[] | string } | undefined;
  return (row) => {
    if (last?.row !== row) last = { row, seen: look(row, keys, names) };
    return last.seen;
  };
};

const look = (row: JsonObject, keys: readonly string[], names: Names): Seen[] | string => {
  const seen: Seen[] = [];
  for (const key of keys) {
    const list = row[key];
    if (!Array.isArray(list)) return `${key} is ${kindOf(list)}, not a list`;
    if (list.length === 0) return `${key} is an empty list`;
    for (const [index, item] of list.entries()) {
      const where = `${key}[${index}]`;
      if (!isObject(item)) return `${where} is ${kindOf(item)}, not an object`;
      seen.push({ where, role: item[names.role], content: item[names.content], message: item });
    }
  }
  return seen;
};
