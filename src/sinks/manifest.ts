import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { type FileFacts, writeAtomically } from "./atomic-file.ts";
import type { EarlierOutput } from "./earlier-output.ts";

/** The version of the shape of transcripts in an output. Outputs of version 1 do not say it. */
export const SCHEMA = 2;

/** The key of an incomplete manifest with what completes it: see `completePublishing`. */
export const NEXT = "next";

/** One delivery of `--new` in a manifest. Part 0 has the files that belong to no part: those of a plain export. */
export interface ManifestPart {
  part: number;
  token?: string;
  files: FileFacts[];
  /** How many conversations it delivered, if the manifest says so. */
  exported?: number;
}

/** A parsed manifest. It is not trusted, because anybody may have written it. */
export interface Manifest {
  /** The whole content, so that nothing is lost when it is written again. */
  json: JsonObject;
  /** Name and version of the program that wrote it; empty if it does not say. */
  tool: string;
  /** Whether it describes a data set; otherwise an export. */
  isDataset: boolean;
  /** The run that wrote it has not finished: `files` has the names of the old and the new files. */
  incomplete: boolean;
  /** The id of the archive that the output belongs to. */
  archive?: string;
  /** How many conversations the output holds, if the manifest says so. */
  exported?: number;
  /** Whether it has parts of `--new`. */
  hasParts: boolean;
  /** The elements of `files`, valid or not: see `isFileFacts`. Absent if `files` is not a list. */
  entries?: readonly Json[];
  /** The names in `files` that stay inside the manifest's folder. */
  names: readonly string[];
  /** In an incomplete manifest: files of others that look like files of the output. */
  strangers: readonly Json[];
  /** Ordered by number; empty if there is a `flaw`. */
  parts: readonly ManifestPart[];
  /** What is invalid in it, or missing because it is incomplete. */
  flaw?: string;
}

/** Whether a name stays inside the manifest's folder. */
export const isInside = (name: string): boolean =>
  name !== "" &&
  !name.includes("\0") &&
  !isAbsolute(name) &&
  !name.split(/[/\\]/).some((step) => step === ".." || step === "." || step === "");

/** A line of `sha256sum` about a file in the same folder; undefined for other lines. */
export const listedFile = (line: string): { sha256: string; name: string } | undefined => {
  const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
  return sha256 !== undefined && name !== undefined && isInside(name) ? { sha256, name } : undefined;
};

export const isFileFacts = (value: Json): value is Json & FileFacts =>
  isObject(value) &&
  typeof value.name === "string" &&
  isInside(value.name) &&
  typeof value.bytes === "number" &&
  typeof value.rows === "number" &&
  typeof value.sha256 === "string";

/**
Reads a manifest; undefined when there is none.

@throws Error that says why it cannot be read; it is never treated as missing
*/
export const readManifest = async (path: string): Promise<Manifest | undefined> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const json = parsed(text);
  if (!isObject(json)) throw new Error("it is not a JSON object");
  return manifestOf(json);
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    throw new Error("it is not JSON");
  }
};

const manifestOf = (json: JsonObject): Manifest => {
  const { tool, archive, files, counts, strangers } = json;
  const entries = Array.isArray(files) ? files : undefined;
  const parts = partsIn(json);
  const exported = exportedIn(counts);
  return {
    json,
    tool: typeof tool === "string" ? tool : "",
    isDataset: isObject(json.dataset),
    incomplete: json.incomplete === true,
    ...(typeof archive === "string" && { archive }),
    ...(exported !== undefined && { exported }),
    hasParts: Array.isArray(json.parts),
    ...(entries && { entries }),
    names: (entries ?? []).flatMap((entry) =>
      isObject(entry) && typeof entry.name === "string" && isInside(entry.name) ? [entry.name] : [],
    ),
    strangers: Array.isArray(strangers) ? strangers : [],
    ...(typeof parts === "string" ? { parts: [], flaw: parts } : { parts }),
  };
};

const exportedIn = (counts: Json | undefined): number | undefined =>
  isObject(counts) && typeof counts.exported === "number" ? counts.exported : undefined;

/** The parts of a complete manifest, or a text that says what is wrong with it. */
const partsIn = ({ archive, files, parts: entries = [] }: JsonObject): ManifestPart[] | string => {
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
  return parts.sort((a, b) => a.part - b.part);
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
  const exported = exportedIn(counts);
  return {
    part: Number(part),
    ...(token !== undefined && { token }),
    files,
    ...(exported !== undefined && { exported }),
  };
};

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

/** The manifest of an output that one run wrote. @param facts all that it says besides its files */
export const completeManifest = (
  { tool = "", ...facts }: JsonObject,
  files: readonly FileFacts[],
  archive?: string,
): JsonObject => ({
  tool,
  schema: SCHEMA,
  ...(archive !== undefined && { archive }),
  ...facts,
  files: files.map((file) => ({ ...file })),
});

/** The manifest of an output after another part of `--new`. Parts that version 1 wrote keep their shape. */
export const manifestWithPart = (
  before: Manifest | undefined,
  archive: string,
  { part, token, files }: { part: number; token: string; files: readonly FileFacts[] },
  { tool = "", ...facts }: JsonObject,
): JsonObject => ({
  tool,
  schema: SCHEMA,
  archive,
  parts: [...listIn(before?.json.parts), { part, token, ...facts, files: files.map(({ name }) => name) }],
  files: [...(before?.entries ?? []), ...files.map((file) => ({ ...file }))],
});

const listIn = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/**
The manifest while files are replaced: it names the old and the new files. If the run is killed then, the next run finds
in it what it needs.

@param names the new files
*/
export const incompleteManifest = (
  { facts, files, isListed = () => false, strangers = [] }: EarlierOutput,
  names: ReadonlySet<string>,
): JsonObject => {
  const named = [...new Set([...files, ...names])].filter((name) => !isListed(name)).sort();
  const strange = strangers.filter((name) => !names.has(name));
  return {
    ...facts,
    incomplete: true,
    files: named.map((name) => ({ name })),
    ...(strange.length > 0 && { strangers: strange }),
  };
};

/** The manifest with another archive id and new tokens. */
export const withArchiveId = ({ json, parts }: Manifest, archive: string): Manifest => {
  const { tool = "", schema, archive: _, parts: entries, ...rest } = json;
  const tokens = new Map(parts.map(({ part, files }) => [part, tokenOf(archive, part, files)]));
  const withToken = (entry: Json): Json => {
    const { part = 0, token: _, ...facts } = entry as JsonObject;
    return { part, token: tokens.get(Number(part)) ?? "", ...facts };
  };
  return manifestOf({
    tool,
    ...(schema !== undefined && { schema }),
    archive,
    ...(Array.isArray(entries) && { parts: entries.map(withToken) }),
    ...rest,
  });
};

/** Writes a manifest. @param tag unique for each run */
export const writeManifest = (path: string, json: JsonObject, tag: string): Promise<void> =>
  writeAtomically(path, tag, (file) => file.add(`${JSON.stringify(json, null, 2)}\n`));
