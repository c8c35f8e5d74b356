import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, UsageError } from "../../core/errors.ts";
import { plural } from "../../core/wording.ts";
import { lines } from "../../parse/lines.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { isFileFacts, listedFile, type Manifest, readManifest, tokenOf } from "../../sinks/manifest.ts";
import type { Finding } from "./finding.ts";

export interface VerifiedOutput {
  /** How many files were checked. */
  files: number;
  /** The id of the archive that the output belongs to, where the manifest names one. */
  archive?: string;
}

/**
Checks an output against its manifest: every file's bytes, SHA-256 and, where a line is a row, rows; and that the tokens
of its parts fit what the manifest says of their files.

@throws UsageError when there is no manifest
*/
export const verifyOutput = async (
  path: string,
  shown: string,
  tell: (finding: Finding) => void,
): Promise<VerifiedOutput> => {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const manifest = await manifestOf(isFolder ? join(path, "manifest.json") : `${path}.manifest.json`, shown);
  if (manifest.incomplete) {
    tell({
      where: shown,
      what: "is not complete: the run that wrote it did not end. The same command again completes it",
    });
    return { files: 0 };
  }
  const files = await verifyFiles(manifest, path, shown, isFolder, tell);
  const { archive, parts, flaw } = manifest;
  if (archive === undefined) return { files };
  // Invalid entries of its files were reported before.
  if (flaw !== undefined && manifest.entries?.every(isFileFacts))
    tell({ where: shown, what: `of its manifest, ${flaw}` });
  for (const { part, token, files: own } of parts)
    if (part > 0 && token !== tokenOf(archive, part, own))
      tell({ where: shown, what: `the token of part ${part} does not fit the part's files` });
  return { files, archive };
};

/**
A manifest comes from a disk that others write to: it names files in its own folder, or it is wrong.

Resolves to how many files were checked.
*/
export const verifyFiles = async (
  { entries }: Manifest,
  path: string,
  shown: string,
  isFolder: boolean,
  tell: (finding: Finding) => void,
): Promise<number> => {
  const root = isFolder ? path : dirname(path);
  if (!entries) tell({ where: shown, what: "its manifest names no files" });
  let checked = 0;
  for (const facts of entries ?? []) {
    if (!isFileFacts(facts)) {
      tell({ where: shown, what: `its manifest has an entry that is no file: ${JSON.stringify(facts).slice(0, 80)}` });
      continue;
    }
    const { name } = facts;
    const where = isFolder ? join(shown, name) : join(dirname(shown), name);
    checked += 1;
    const wrong = await differences(join(root, name), facts);
    for (const what of wrong) tell({ where, what });
    if (wrong.length === 0 && basename(name).startsWith("SHA256SUMS"))
      checked += await verifySums(join(root, name), where, tell);
  }
  return checked;
};

/** @throws UsageError */
const manifestOf = async (path: string, shown: string): Promise<Manifest> => {
  const noManifest = (why: string): UsageError =>
    new UsageError(`${shown} has no readable manifest, so it is not a complete output: ${why}.`);
  const manifest = await readManifest(path).catch((error: unknown) => {
    throw noManifest(messageOf(error));
  });
  if (!manifest) throw noManifest(`there is no ${path}`);
  return manifest;
};

const differences = async (path: string, { bytes, sha256, rows, name }: FileFacts): Promise<string[]> => {
  const found = await digest(path, /\.(ndjson|jsonl)$/.test(name));
  if (typeof found === "string") return [found];
  const wrong: string[] = [];
  if (found.bytes !== bytes) wrong.push(`has ${plural(found.bytes, "byte")}, the manifest says ${bytes}`);
  if (found.rows !== undefined && found.rows !== rows)
    wrong.push(`has ${plural(found.rows, "row")}, the manifest says ${rows}`);
  if (found.sha256 !== sha256) wrong.push("is not what was written (SHA-256)");
  return wrong;
};

const digest = async (
  path: string,
  countRows: boolean,
): Promise<{ bytes: number; sha256: string; rows?: number } | string> => {
  const hash = createHash("sha256");
  let bytes = 0;
  let rows = 0;
  try {
    // A pipe would be waited for, for ever.
    if (!(await stat(path)).isFile()) return "is not a file";
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      if (countRows) for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1;
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "is not there" : `cannot be read: ${messageOf(error)}`;
  }
  return { bytes, sha256: hash.digest("hex"), ...(countRows && { rows }) };
};

/** The files that a list in the form of `sha256sum` names. */
const verifySums = async (path: string, where: string, tell: (finding: Finding) => void): Promise<number> => {
  let checked = 0;
  const sums = createReadStream(path);
  for await (const line of lines(sums as AsyncIterable<Uint8Array>)) {
    const listed = listedFile(line);
    if (!listed) continue;
    const { name, sha256 } = listed;
    checked += 1;
    const found = await digest(join(dirname(path), name), false);
    if (typeof found === "string") tell({ where: join(dirname(where), name), what: found });
    else if (found.sha256 !== sha256)
      tell({ where: join(dirname(where), name), what: "is not what was written (SHA-256)" });
  }
  return checked;
};
