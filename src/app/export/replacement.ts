import { createReadStream } from "node:fs";
import { lstat, readdir, rmdir, unlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { lines } from "../../parse/lines.ts";
import type { Exchange } from "../../sinks/files.ts";
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
  const there: string[] = [];
  for (const each of namesWritten(target)) if (await isInTheWay(join(root, each))) there.push(each);
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

/** What a run needs to know to take the place of an earlier one. */
export interface Replacing extends Exchange {
  /** How many conversations the earlier one wrote, if it is known. */
  before?: number;
}

/** How the files of a run take the place of those that an earlier run left there. */
export const replacing = async (target: FileTarget): Promise<Replacing> => {
  const { manifest, ours, strangeDocuments } = await existingAt(target);
  const { root } = placeOf(target);
  const before = manifest?.exported;
  return {
    ...(before !== undefined && { before }),
    announce: (isNew, names) => {
      const named = [...new Set([...ours, ...names])].filter((name) => !isDocument(name)).sort();
      const strangers = strangeDocuments.filter((name) => !isNew(name));
      return {
        tool: `callarchive ${VERSION}`,
        incomplete: true,
        ...(before !== undefined && { counts: { exported: before } }),
        files: named.map((name) => ({ name })),
        ...(strangers.length > 0 && { strangers }),
      };
    },
    clear: async (isNew) => {
      const stale = [...ours].filter((name) => !isNew(name));
      for (const name of stale) await remove(root, name);
      // Not when something else is in it.
      for (const folder of new Set(stale.map((name) => dirname(name))))
        if (folder !== ".") await rmdir(join(root, folder)).catch(() => undefined);
    },
  };
};

/** Through no link: what it leads to is not in the folder. */
const remove = async (root: string, name: string): Promise<void> => {
  const path = join(root, name);
  const isOurs = (await lstat(path).catch(() => undefined))?.isFile() && (await isPlainFolder(dirname(path), root));
  if (isOurs) await unlink(path);
};

const isPlainFolder = async (path: string, root: string): Promise<boolean> =>
  path === root || (await lstat(path).catch(() => undefined))?.isDirectory() === true;

/** Something that would be lost. An empty file is nothing, as `mktemp` makes it. */
const isInTheWay = async (path: string): Promise<boolean> => {
  const there = await lstat(path).catch(() => undefined);
  return there !== undefined && !(there.isFile() && there.size === 0);
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
    strangeManifest: manifest === undefined && (await isInTheWay(join(root, name))),
    ours,
    strangeDocuments: documents.filter((each) => !ours.has(each)),
  };
};

const documentsIn = async (root: string): Promise<string[]> => {
  const folder = join(root, "raw");
  if (!(await isPlainFolder(folder, root))) return [];
  return (await readdir(folder)).filter(isDocumentName).map((file) => `raw/${file}`);
};

/** The documents that a list of ours names. */
const addListed = async (ours: Set<string>, root: string, list: string): Promise<void> => {
  const path = join(root, list);
  if (!(await lstat(path).catch(() => undefined))?.isFile() || !(await isPlainFolder(dirname(path), root))) return;
  for await (const line of lines(createReadStream(path) as AsyncIterable<Uint8Array>)) {
    const name = listedFile(line)?.name;
    if (name !== undefined && isDocumentName(name)) ours.add(`raw/${name}`);
  }
};

/** Undefined for what is no manifest of an export by callarchive. */
const exportManifest = async (path: string): Promise<Manifest | undefined> => {
  const manifest = await readManifest(path).catch(() => undefined);
  const isExport = manifest?.tool.startsWith("callarchive ") && manifest.entries && !manifest.isDataset;
  return isExport ? manifest : undefined;
};
