import { createHash } from "node:crypto";

/** Leaves room for endings below the 255 bytes of common file systems. */
const LONGEST = 180;

/**
A file name for an id: never a path, never hidden, and distinct for distinct ids, also where names ignore case.

Letters, digits, `_`, `-` and inner dots stay; all else becomes %XX of its UTF-8. Ids with capitals, and ids that are
too long, end in `~` and a hash: no other name holds a `~`.
*/
export const fileName = (id: string): string => {
  const escaped = id.replace(/[^A-Za-z0-9_.-]|^\.|\.$/gu, percent);
  const isPlain = escaped.length <= LONGEST && !/[A-Z]/.test(id) && id.isWellFormed() && id !== "";
  return isPlain ? escaped : `${escaped.slice(0, LONGEST - 33)}~${hash(id)}`;
};

/** The id that a name was made of; undefined where the name holds only its beginning, and for names that were not made here. */
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

// UTF-16, for UTF-8 has one and the same form for all lone surrogates.
const hash = (id: string): string => createHash("sha256").update(id, "utf16le").digest("hex").slice(0, 32);
