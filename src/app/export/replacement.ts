import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { lines } from "../../parse/lines.ts";
import { type EarlierOutput, isPlainFile, isPlainFolder, namesInTheWay } from "../../sinks/earlier-output.ts";
import { listedFile, type Manifest, readManifest } from "../../sinks/manifest.ts";
import type { Host } from "../context.ts";
import type { OutputRequest } from "../requests.ts";
import { VERSION } from "../version.ts";
import { type FileTarget, isDocumentName, isOutputName, namesWritten, placeOf, type Target } from "./output-names.ts";

/** What lies where a run is going to write. Names are relative to the folder. */
interface Existing {
  /** Of an export by callarchive; undefined when there is none, or another program's. */
  manifest: Manifest | undefined;
  /** Whatever has the manifest's name is not ours. */
  strangeManifest: boolean;
  /** What an earlier run wrote, as its manifest says. */
  ours: ReadonlySet<string>;
  /** Files in `raw/` that look like documents, and that no manifest names. */
  strangeDocuments: string[];
}

/**
Refuses to replace what is not ours, before any work is done.

@throws UsageError
*/
export const checkReplaceable = async (target: Target, request: OutputRequest, host: Host): Promise<void> => {
  if (target.kind === "stream") return;
  const shown = relative(host.cwd, target.path) || ".";
  const existing = await existingAt(target);
  const { manifest, strangeManifest } = existing;
  const { root, manifest: name } = placeOf(target);
  if (request.new) {
    if (manifest?.incomplete)
      throw new UsageError(`The last export to ${shown} did not end. Repeat it without --new first.`);
    // Whether the folder is one to go on in is for its manifest to say, once the archive is open.
    return;
  }
  if (manifest?.hasParts)
    throw new UsageError(`${shown} holds parts that --new wrote. Go on with --new, or write somewhere else.`);
  const there = await namesInTheWay(root, namesWritten(target));
  // A run that was killed is to be completed by the same command.
  const replaced = [...there, ...(manifest ? [name] : []), ...(writesRaw(target) ? existing.strangeDocuments : [])];
  if (request.clobber === false && replaced.length > 0 && !manifest?.incomplete)
    throw new UsageError(`${shown} is there already (${some(replaced)}), and --no-clobber replaces nothing.`);
  if (request.force) return;
  const strange = there.filter((each) => !existing.ours.has(each));
  if (strangeManifest) strange.push(name);
  if (writesRaw(target)) strange.push(...existing.strangeDocuments);
  if (strange.length > 0) throw refusal(shown, strange);
};

const refusal = (shown: string, names: readonly string[]): UsageError =>
  new UsageError(
    `${shown}: ${some(names)} is there, and no manifest of callarchive names it. Write somewhere else, or replace it with --force.`,
  );

const some = ([first = "", ...more]: readonly string[]): string =>
  more.length > 0 ? `${first} and ${more.length} more` : first;

const writesRaw = ({ kind, formats }: FileTarget): boolean => kind === "folder" && formats.includes("raw");

/** An export, with the number of conversations that it wrote, if its manifest says so. */
export interface EarlierExport extends EarlierOutput {
  exported?: number;
}

/** The export of an earlier run that this one replaces. */
export const earlierExport = async (target: FileTarget): Promise<EarlierExport> => {
  const { manifest, ours, strangeDocuments } = await existingAt(target);
  const exported = manifest?.exported;
  return {
    ...(exported !== undefined && { exported }),
    files: ours,
    facts: { tool: `callarchive ${VERSION}`, ...(exported !== undefined && { counts: { exported } }) },
    isListed: isDocument,
    strangers: strangeDocuments,
  };
};

const isDocument = (name: string): boolean => name.startsWith("raw/") && isDocumentName(name.slice("raw/".length));

const existingAt = async (target: FileTarget): Promise<Existing> => {
  const { root, manifest: name } = placeOf(target);
  const manifest = await exportManifest(join(root, name));
  const ours = new Set(manifest?.names.filter((each) => isOutputName(target, each)));
  const documents = target.kind === "folder" ? await documentsIn(root) : [];
  const lists = [...ours].filter((each) => each.startsWith("raw/SHA256SUMS"));
  if (!manifest?.incomplete) for (const list of lists) await addListed(ours, root, list);
  else if (lists.length > 0) {
    // It had begun to write documents: all are ours but those that were there before.
    const strangers = new Set(manifest.strangers);
    for (const each of documents) if (!strangers.has(each)) ours.add(each);
  }
  return {
    manifest,
    strangeManifest: manifest === undefined && (await namesInTheWay(root, [name])).length > 0,
    ours,
    strangeDocuments: documents.filter((each) => !ours.has(each)),
  };
};

const documentsIn = async (root: string): Promise<string[]> => {
  if (!(await isPlainFolder(root, "raw"))) return [];
  return (await readdir(join(root, "raw"))).filter(isDocumentName).map((file) => `raw/${file}`);
};

/** The documents that a list of ours names. */
const addListed = async (ours: Set<string>, root: string, list: string): Promise<void> => {
  if (!(await isPlainFile(root, list))) return;
  for await (const line of lines(createReadStream(join(root, list)) as AsyncIterable<Uint8Array>)) {
    const name = listedFile(line)?.name;
    if (name !== undefined && isDocumentName(name)) ours.add(`raw/${name}`);
  }
};

/** The manifest, if it is one of an export by callarchive. */
const exportManifest = async (path: string): Promise<Manifest | undefined> => {
  const manifest = await readManifest(path).catch(() => undefined);
  const isExport = manifest?.tool.startsWith("callarchive ") && manifest.entries && !manifest.isDataset;
  return isExport ? manifest : undefined;
};
