import { hash } from "node:crypto";
import { cleanMeta } from "../cloud/clean.ts";
import { canonicalJson } from "../core/canonical.ts";
import { isUsableId } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/transcript.ts";
import { textual } from "../parse/values.ts";

// The ids of records are paths: the id of what they belong to, a slash, and a name.

/** In bytes; so that the whole id stays usable. Ids of the service have 32 to 36. */
const OWNER_LIMIT = 512;
const NAME_LIMIT = 256;

/** Whether an id can begin the ids of records: usable, not long, and nothing in it is taken for a secret. */
export const isHarmlessId = (id: string): boolean =>
  isUsableId(id) && Buffer.byteLength(id) <= OWNER_LIMIT && cleanMeta({ id }).id === id;

/** The id that a record has of its own, if it can end a path. */
export const nameIn = (value: Json | undefined): string | undefined => {
  const name = textual(value);
  return name !== undefined && name.length <= NAME_LIMIT && !/[/\0]/.test(name) ? name : undefined;
};

/** The name of a record without an id: what it holds. 64 bits tell the records of one conversation apart. */
export const digest = (data: JsonObject): string => hash("sha256", canonicalJson(data)).slice(0, 16);
