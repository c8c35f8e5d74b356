import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { messageOf, UsageError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { type FileFacts, writeAtomically } from "./atomic-file.ts";
import { tagOf, type WritingProcess } from "./leftovers.ts";
import { isInside } from "./manifest.ts";

/** One delivery of `--new` in a manifest. Part 0 has the files that belong to no part: those of a plain export. */
export interface ManifestPart {
  part: number;
  token?: string;
  files: FileFacts[];
  /** How many calls it delivered, if the manifest says so. */
  exported?: number;
}

export interface Manifest {
  json: JsonObject;
  /** The id of the archive that the output belongs to. */
  archive?: string;
  /** Ordered by number. */
  parts: ManifestPart[];
}

/**
The token of a part: different for every archive, part number and content.

The order of the files does not matter.
*/
export const tokenOf = (
  archive: string,
  part: number,
  files: readonly Pick<FileFacts, "name" | "sha256">[],
): string => {
  const pairs = files.map(({ name, sha256 }) => [name, sha256] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([archive, part, pairs]))
    .digest("hex");
};

export const isFileFacts = (value: Json): value is Json & FileFacts =>
  isObject(value) &&
  typeof value.name === "string" &&
  isInside(value.name) &&
  typeof value.bytes === "number" &&
  typeof value.rows === "number" &&
  typeof value.sha256 === "string";

/**
The manifest of an output; undefined when there is none.

@throws UsageError when it cannot be read; it is never treated as missing
*/
export const readManifest = async (path: string): Promise<Manifest | undefined> => {
  const unreadableError = (why: string): UsageError =>
    new UsageError(
      `${path} cannot be read as a manifest: ${why}. Put a good copy of it back, or name another place with -o.`,
    );
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unreadableError(messageOf(error));
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unreadableError("it is not JSON");
  }
  const manifest = isObject(json) ? parseManifest(json) : "it is not a JSON object";
  if (typeof manifest === "string") throw unreadableError(manifest);
  return manifest;
};

/** The parsed manifest, or a text that says what is wrong with it. */
export const parseManifest = (json: JsonObject): Manifest | string => {
  const { archive, files, parts: entries = [] } = json;
  if (archive !== undefined && typeof archive !== "string") return `its "archive" is not a text`;
  if (!Array.isArray(files) || !files.every(isFileFacts)) return `its "files" are not as an export writes them`;
  if (!Array.isArray(entries)) return `its "parts" are not a list`;
  const unassigned = new Map(files.map((file) => [file.name, file]));
  const parts: ManifestPart[] = [];
  for (const entry of entries) {
    const part = takePart(entry, unassigned);
    if (!part) return `its "parts" are not as an export writes them`;
    parts.push(part);
  }
  if (new Set(parts.map(({ part }) => part)).size < parts.length) return `two of its "parts" have one number`;
  if (unassigned.size > 0) parts.push({ part: 0, files: [...unassigned.values()] });
  return { json, ...(archive !== undefined && { archive }), parts: parts.sort((a, b) => a.part - b.part) };
};

/** Parses a part and removes its files from `unassigned`; undefined when the part is invalid. */
const takePart = (entry: Json, unassigned: Map<string, FileFacts>): ManifestPart | undefined => {
  if (!isObject(entry)) return undefined;
  const { part, token, files: names, counts } = entry;
  if (!Number.isSafeInteger(part) || Number(part) < 1 || !Array.isArray(names)) return undefined;
  if (token !== undefined && typeof token !== "string") return undefined;
  const files: FileFacts[] = [];
  for (const name of names) {
    const file = typeof name === "string" ? unassigned.get(name) : undefined;
    if (!file) return undefined;
    unassigned.delete(file.name);
    files.push(file);
  }
  const exported = isObject(counts) && typeof counts.exported === "number" ? counts.exported : undefined;
  return {
    part: Number(part),
    ...(token !== undefined && { token }),
    files,
    ...(exported !== undefined && { exported }),
  };
};

/** The manifest with another archive id and new tokens. */
export const withArchiveId = ({ json, parts }: Manifest, archive: string): Manifest => {
  const { tool = "", archive: _, parts: entries, ...rest } = json;
  const tokens = new Map(parts.map(({ part, files }) => [part, tokenOf(archive, part, files)]));
  const withToken = (entry: Json): Json => {
    const { part = 0, token: _, ...facts } = entry as JsonObject;
    return { part, token: tokens.get(Number(part)) ?? "", ...facts };
  };
  const stamped = { tool, archive, ...(Array.isArray(entries) && { parts: entries.map(withToken) }), ...rest };
  return {
    json: stamped,
    archive,
    parts: parts.map((each) => ({ ...each, token: tokens.get(each.part) ?? "" })),
  };
};

export const writeManifest = (path: string, { json }: Manifest, self: WritingProcess): Promise<void> =>
  writeAtomically(path, tagOf(self), (file) => file.add(`${JSON.stringify(json, null, 2)}\n`));
