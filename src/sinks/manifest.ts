import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { isObject, type Json, type JsonObject } from "../core/transcript.ts";
import { type FileFacts, writeAtomically } from "./atomic-file.ts";
import type { EarlierOutput } from "./earlier-output.ts";

/** One delivery of `--new`, as a manifest names it. Part 0 are the files of a plain export, which no part names. */
export interface ManifestPart {
  part: number;
  token?: string;
  files: FileFacts[];
  /** How many conversations went out with it, where the manifest says so. */
  exported?: number;
}

/** What a manifest says. It may come from anybody: nothing in it is believed before it is checked. */
export interface Manifest {
  /** All of it, so that it can be written again with nothing lost. */
  json: JsonObject;
  /** The program that wrote it and its version; empty where it names none. */
  tool: string;
  /** A data set's manifest; else an export's. */
  isDataset: boolean;
  /** The run that wrote it has not ended: it names the files that were there before and those of the run. */
  incomplete: boolean;
  /** The id of the archive that the output belongs to. */
  archive?: string;
  /** How many conversations the output holds, where the manifest says so. */
  exported?: number;
  /** Has it parts that `--new` wrote? */
  hasParts: boolean;
  /** Its list of files as it stands there, right or wrong; `isFacts` tells. Absent where it has none. */
  entries?: readonly Json[];
  /** Of the listed names, those that stay in the manifest's folder. */
  names: readonly string[];
  /** Of a run that has not ended: files that were there before and that no manifest named. */
  strangers: readonly Json[];
  /** By number; none where the manifest is flawed. */
  parts: readonly ManifestPart[];
  /** What is not as a complete manifest has it, in words. */
  flaw?: string;
}

/** Whether a name that a manifest gives stays in the manifest's own folder. */
export const isInside = (name: string): boolean =>
  name !== "" &&
  !name.includes("\0") &&
  !isAbsolute(name) &&
  !name.split(/[/\\]/).some((step) => step === ".." || step === "." || step === "");

/** What a line in the form of `sha256sum` says of a file in the same folder; undefined for any other line. */
export const listedFile = (line: string): { sha256: string; name: string } | undefined => {
  const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
  return sha256 !== undefined && name !== undefined && isInside(name) ? { sha256, name } : undefined;
};

export const isFacts = (value: Json): value is Json & FileFacts =>
  isObject(value) &&
  typeof value.name === "string" &&
  isInside(value.name) &&
  typeof value.bytes === "number" &&
  typeof value.rows === "number" &&
  typeof value.sha256 === "string";

/**
The manifest at a path; undefined when there is none.

@throws Error that says why, when what is there is not a JSON object or cannot be read: it is never taken for none
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
    // The parser's own words quote the text.
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

/** The parts of a complete manifest; a text says what is wrong with it. */
const partsIn = ({ archive, files, parts: entries = [] }: JsonObject): ManifestPart[] | string => {
  if (archive !== undefined && typeof archive !== "string") return `its "archive" is not a text`;
  if (!Array.isArray(files) || !files.every(isFacts)) return `its "files" are not as an export writes them`;
  if (!Array.isArray(entries)) return `its "parts" are not a list`;
  const rest = new Map(files.map((file) => [file.name, file]));
  const parts: ManifestPart[] = [];
  for (const entry of entries) {
    const part = partIn(entry, rest);
    if (!part) return `its "parts" are not as an export writes them`;
    parts.push(part);
  }
  if (new Set(parts.map(({ part }) => part)).size < parts.length) return `two of its "parts" have one number`;
  if (rest.size > 0) parts.push({ part: 0, files: [...rest.values()] });
  return parts.sort((a, b) => a.part - b.part);
};

/** Takes the files of a part out of `rest`. */
const partIn = (entry: Json, rest: Map<string, FileFacts>): ManifestPart | undefined => {
  if (!isObject(entry)) return undefined;
  const { part, token, files: names, counts } = entry;
  if (!Number.isSafeInteger(part) || Number(part) < 1 || !Array.isArray(names)) return undefined;
  if (token !== undefined && typeof token !== "string") return undefined;
  const files: FileFacts[] = [];
  for (const name of names) {
    const file = typeof name === "string" ? rest.get(name) : undefined;
    if (!file) return undefined;
    rest.delete(file.name);
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
What a part is known by: no two archives, and no two contents, have the same token.

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

/** The manifest of an output that is written at once. @param facts what it says besides, its tool first */
export const completeManifest = (
  { tool = "", ...facts }: JsonObject,
  files: readonly FileFacts[],
  archive?: string,
): JsonObject => ({
  tool,
  ...(archive !== undefined && { archive }),
  ...facts,
  files: files.map((file) => ({ ...file })),
});

/** An output's manifest that has grown by one part. */
export const manifestWithPart = (
  before: Manifest | undefined,
  archive: string,
  { part, token, files }: { part: number; token: string; files: readonly FileFacts[] },
  { tool = "", ...facts }: JsonObject,
): JsonObject => ({
  tool,
  archive,
  parts: [...listIn(before?.json.parts), { part, token, ...facts, files: files.map(({ name }) => name) }],
  files: [...(before?.entries ?? []), ...files.map((file) => ({ ...file }))],
});

const listIn = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/**
What a manifest says while files change: whose they are, the earlier output's and the new ones.

@param names of the new ones
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

/** The same manifest as one of this archive. */
export const stamped = ({ json, parts }: Manifest, archive: string): Manifest => {
  const { tool = "", archive: _, parts: entries, ...rest } = json;
  const tokens = new Map(parts.map(({ part, files }) => [part, tokenOf(archive, part, files)]));
  const signed = (entry: Json): Json => {
    const { part = 0, token: _, ...facts } = entry as JsonObject;
    return { part, token: tokens.get(Number(part)) ?? "", ...facts };
  };
  return manifestOf({ tool, archive, ...(Array.isArray(entries) && { parts: entries.map(signed) }), ...rest });
};

/** Replaces the manifest at a path. @param tag of the run, for the unfinished file */
export const writeManifest = (path: string, json: JsonObject, tag: string): Promise<void> =>
  writeAtomically(path, tag, (file) => file.add(`${JSON.stringify(json, null, 2)}\n`));
