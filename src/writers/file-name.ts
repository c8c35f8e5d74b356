import { createHash } from "node:crypto";

/** After the name of an id: a file with other records of the conversation. Names of ids have a hash after `~`. */
export const RECORDS = "~records";

/** File systems allow 255 bytes; the rest is for endings. */
const LONGEST = 180;

/**
A file name for an id: never a path, never hidden, and different for different ids, even if the file system ignores case.

Letters, digits, `_`, `-` and inner dots stay; everything else becomes %XX of its UTF-8. Names of ids with capitals, and of
ids that are too long, end in `~` and a hash; other names contain no `~`.
*/
export const fileName = (id: string): string => {
  const escaped = id.replace(/[^A-Za-z0-9_.-]|^\.|\.$/gu, percent);
  const isPlain = escaped.length <= LONGEST && !/[A-Z]/.test(id) && id.isWellFormed() && id !== "";
  return isPlain ? escaped : `${escaped.slice(0, LONGEST - 33)}~${hash(id)}`;
};

/** The id of a file name; undefined if the name has only a part of it, or is not from `fileName`. */
export const idOf = (name: string): string | undefined => {
  try {
    const id = decodeURIComponent(name.split("~")[0] ?? "");
    return fileName(id) === name ? id : undefined;
  } catch {
    return undefined;
  }
};

const percent = (character: string): string =>
  Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&");

// UTF-16, because in UTF-8 all lone surrogates become the same bytes.
const hash = (id: string): string => createHash("sha256").update(id, "utf16le").digest("hex").slice(0, 32);
