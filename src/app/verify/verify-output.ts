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
  /** The id of the archive that the output belongs to, if the manifest has it. */
  archive?: string;
}

/**
Checks an output against its manifest: size and SHA-256 of every file, the number of rows where a line is a row, and the
token of each part.

@throws UsageError when there is no manifest
*/
export const verifyOutput = async (
  path: string,
  label: string,
  report: (finding: Finding) => void,
): Promise<VerifiedOutput> => {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const manifest = await manifestOf(isFolder ? join(path, "manifest.json") : `${path}.manifest.json`, label);
  if (manifest.incomplete) {
    report({
      where: label,
      what: "is not complete: the run that wrote it did not end. The same command again completes it",
    });
    return { files: 0 };
  }
  const files = await verifyFiles(manifest, path, label, isFolder, report);
  const { archive, parts, flaw } = manifest;
  if (archive === undefined) return { files };
  // Invalid entries of its files were reported before.
  if (flaw !== undefined && manifest.entries?.every(isFileFacts))
    report({ where: label, what: `its manifest is not valid: ${flaw}` });
  for (const { part, token, files: own } of parts)
    if (part > 0 && token !== tokenOf(archive, part, own))
      report({ where: label, what: `the token of part ${part} does not match the files of the part` });
  return { files, archive };
};

/**
Checks the files of a manifest. A name that leaves the manifest's folder is a finding, because anyone may have written it.

@returns how many files were checked
*/
export const verifyFiles = async (
  { entries }: Manifest,
  path: string,
  label: string,
  isFolder: boolean,
  report: (finding: Finding) => void,
): Promise<number> => {
  const root = isFolder ? path : dirname(path);
  if (!entries) report({ where: label, what: "its manifest names no files" });
  let checked = 0;
  for (const facts of entries ?? []) {
    if (!isFileFacts(facts)) {
      report({
        where: label,
        what: `its manifest has an entry that is not a file: ${JSON.stringify(facts).slice(0, 80)}`,
      });
      continue;
    }
    const { name } = facts;
    const where = isFolder ? join(label, name) : join(dirname(label), name);
    checked += 1;
    const faults = await findFaults(join(root, name), facts);
    for (const what of faults) report({ where, what });
    if (faults.length === 0 && basename(name).startsWith("SHA256SUMS"))
      checked += await verifySums(join(root, name), where, report);
  }
  return checked;
};

/** @throws UsageError */
const manifestOf = async (path: string, label: string): Promise<Manifest> => {
  const noManifest = (why: string): UsageError =>
    new UsageError(`${label} has no readable manifest, so it is not a complete output: ${why}.`);
  const manifest = await readManifest(path).catch((error: unknown) => {
    throw noManifest(messageOf(error));
  });
  if (!manifest) throw noManifest(`there is no ${path}`);
  return manifest;
};

const findFaults = async (path: string, { bytes, sha256, rows, name }: FileFacts): Promise<string[]> => {
  const found = await digest(path, /\.(ndjson|jsonl)$/.test(name));
  if (typeof found === "string") return [found];
  const faults: string[] = [];
  if (found.bytes !== bytes) faults.push(`has ${plural(found.bytes, "byte")}, but ${bytes} in the manifest`);
  if (found.rows !== undefined && found.rows !== rows)
    faults.push(`has ${plural(found.rows, "row")}, but ${rows} in the manifest`);
  if (found.sha256 !== sha256) faults.push("has changed since it was written (SHA-256)");
  return faults;
};

const digest = async (
  path: string,
  countRows: boolean,
): Promise<{ bytes: number; sha256: string; rows?: number } | string> => {
  const hash = createHash("sha256");
  let bytes = 0;
  let rows = 0;
  try {
    // Reading a pipe could wait forever.
    if (!(await stat(path)).isFile()) return "is not a file";
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      if (countRows) for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1;
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "does not exist"
      : `cannot be read: ${messageOf(error)}`;
  }
  return { bytes, sha256: hash.digest("hex"), ...(countRows && { rows }) };
};

/** Checks the files in a list in the format of `sha256sum`. Returns how many there were. */
const verifySums = async (path: string, where: string, report: (finding: Finding) => void): Promise<number> => {
  let checked = 0;
  const sums = createReadStream(path);
  for await (const line of lines(sums as AsyncIterable<Uint8Array>)) {
    const listed = listedFile(line);
    if (!listed) continue;
    const { name, sha256 } = listed;
    checked += 1;
    const found = await digest(join(dirname(path), name), false);
    if (typeof found === "string") report({ where: join(dirname(where), name), what: found });
    else if (found.sha256 !== sha256)
      report({ where: join(dirname(where), name), what: "has changed since it was written (SHA-256)" });
  }
  return checked;
};
