import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { PartRecord } from "../../core/deliveries.ts";
import { messageOf, UsageError } from "../../core/errors.ts";
import { tagOf } from "../../sinks/leftovers.ts";
import {
  type Manifest,
  type ManifestPart,
  readManifest,
  tokenOf,
  withArchiveId,
  writeManifest,
} from "../../sinks/manifest.ts";
import type { Host } from "../context.ts";
import { type AdoptContext, adoptPlace } from "./adoption.ts";
import { type FileTarget, partFiles, placeOf } from "./output-names.ts";

/** A place that `--new` writes to, and the archive that remembers what it has had. */
export interface PlaceContext extends AdoptContext {
  /** The archive's own. */
  id: string;
  /** Learn from the files what they hold, where the record does not fit them. */
  adopt: boolean;
  host: Host;
}

/** How a place and the archive's record of it fit together. */
interface Comparison {
  manifest?: Manifest;
  /** A part that a killed run left prepared, and whether its files have appeared. */
  prepared?: { part: number; appeared: boolean };
  /** Why `--new` cannot go on. */
  refusal?: string;
  /** The place that the archive knows these very parts from. */
  movedFrom?: string;
}

/**
Whether `--new` could go on in a place; changes nothing.

@throws UsageError when not
*/
export const checkPlace = async (context: Pick<PlaceContext, "archive" | "target" | "id" | "adopt">): Promise<void> => {
  const { manifest, prepared, refusal } = await compare(context);
  if (context.adopt) return;
  if (refusal !== undefined) throw new UsageError(refusal);
  if (!prepared) checkFree(context.target, nextPart(manifest));
};

/**
Makes a place ready for the next part, so that record and manifest name the same parts; resolves to the manifest.

@throws UsageError when it does not belong to this archive, or holds other parts than the archive knows of
*/
export const continuePlace = async (context: PlaceContext): Promise<Manifest | undefined> => {
  const { archive, target, id, adopt, host, log } = context;
  const { path: place } = target;
  const { manifest, prepared, refusal, movedFrom } = await compare(context);
  if (refusal !== undefined) {
    if (!adopt) throw new UsageError(refusal);
    const own = await adoptPlace(context, manifest && withArchiveId(manifest, id));
    if (own) await writeManifest(manifestPath(target), own.json, tagOf(host));
    return own;
  }
  if (prepared?.appeared) await archive.confirm(place, prepared.part);
  else if (prepared) {
    for (const path of partFiles(target, prepared.part)) await rm(path, { force: true });
    await archive.withdraw(place, prepared.part);
  }
  if (movedFrom !== undefined && manifest) {
    await archive.copyParts(
      movedFrom,
      place,
      manifest.parts.map((part) => tokenIn(part, id)),
    );
    log("info", "moved", { place, from: movedFrom });
  }
  if (!manifest || manifest.archive !== undefined) return manifest;
  // Written before there were tokens. The archive is first: a manifest without them is compared by what they would be.
  const own = withArchiveId(manifest, id);
  await archive.setTokens(
    place,
    own.parts.map((part) => ({ part: part.part, token: tokenIn(part, id) })),
  );
  await writeManifest(manifestPath(target), own.json, tagOf(host));
  return own;
};

const manifestPath = (target: FileTarget): string => join(placeOf(target).root, placeOf(target).manifest);

/** The manifest of a place; undefined when there is none. @throws UsageError when it cannot be read */
const manifestAt = async (target: FileTarget): Promise<Manifest | undefined> => {
  const path = manifestPath(target);
  const unreadable = (why: string): UsageError =>
    new UsageError(
      `${path} cannot be read as a manifest: ${why}. Put a good copy of it back, or name another place with -o.`,
    );
  const manifest = await readManifest(path).catch((error: unknown) => {
    throw unreadable(messageOf(error));
  });
  if (manifest?.flaw !== undefined) throw unreadable(manifest.flaw);
  return manifest;
};

export const nextPart = (manifest: Manifest | undefined): number => (manifest?.parts.at(-1)?.part ?? 0) + 1;

/** @throws UsageError when files of a part are there that no manifest names: they are not written over */
export const checkFree = (target: FileTarget, part: number): void => {
  const taken = partFiles(target, part).find((path) => existsSync(path));
  if (taken !== undefined)
    throw new UsageError(
      `${taken} is there, but the manifest of ${target.path} does not name it, so what it holds is not known. Put the manifest back that names it, move the file away, or name another place with -o.`,
    );
};

/** What a part is known by; of one without a token, what it would be. */
const tokenIn = ({ part, token, files }: ManifestPart, id: string): string => token ?? tokenOf(id, part, files);

const compare = async ({
  archive,
  target,
  id,
}: Pick<PlaceContext, "archive" | "target" | "id">): Promise<Comparison> => {
  const { path: place } = target;
  const manifest = await manifestAt(target);
  const recorded = await archive.parts(place);
  if (recorded.some(({ part, prepared }) => part === 0 && prepared))
    throw new UsageError(`The last export to ${place} did not end. Repeat it without --new first.`);
  const there = manifest?.parts ?? [];
  const byNumber = new Map(there.map((part) => [part.part, part]));
  const isThere = ({ part: number, token }: PartRecord): boolean => {
    const part = byNumber.get(number);
    if (!part) return false;
    return token === undefined ? manifest?.archive === undefined : token === tokenIn(part, id);
  };

  const open = recorded.find(({ prepared }) => prepared);
  const appeared = open !== undefined && isThere(open);
  const known = recorded.filter((record) => record !== open || appeared);
  const missing = known.filter((record) => !isThere(record));
  const fitting = new Set(known.filter(isThere).map(({ part }) => part));
  const unknown = there.filter(({ part }) => !fitting.has(part));
  const found = {
    ...(manifest && { manifest }),
    ...(open && { prepared: { part: open.part, appeared } }),
  };
  if (manifest?.archive !== undefined && manifest.archive !== id)
    return { ...found, refusal: anothers(place, manifest) };
  if (missing.length > 0) return { ...found, refusal: gone(place, missing, unknown, manifest) };
  if (unknown.length === 0) return found;
  const tokens = there.map((part) => tokenIn(part, id));
  const movedFrom = await archive.placeOf(tokens, place);
  return movedFrom === undefined ? { ...found, refusal: strange(place, unknown) } : { ...found, movedFrom };
};

const anothers = (place: string, { archive = "" }: Manifest): string =>
  `${place} belongs to another archive (${archive.slice(0, 8)}…), so this one does not know which calls it has had. Name that archive with --archive; or add --adopt, which reads from the files there what they hold and goes on with this archive; or name another place with -o.`;

const strange = (place: string, unknown: readonly ManifestPart[]): string =>
  `${place} holds ${named(unknown)}, which this archive did not write there (an older copy of the archive, or files from elsewhere): --new would write calls again. Add --adopt, which reads from the files there what they hold; or name another place with -o.`;

const gone = (
  place: string,
  missing: readonly PartRecord[],
  unknown: readonly ManifestPart[],
  manifest: Manifest | undefined,
): string => {
  const them = missing.length === 1 ? "it" : "them";
  const other = unknown.length > 0 ? `, but ${named(unknown)} of other content` : "";
  const what = manifest
    ? `the manifest there does not name ${them}${other} (an older copy of the folder, or another one)`
    : "there is no manifest (it was emptied, moved or replaced)";
  return `This archive has written ${named(missing)} to ${place}, but ${what}: --new would leave calls out. Put back what was there, or name with -o where it is now; or add --adopt, which counts as written only what the files there hold; or name a new place with -o.`;
};

/** "parts 2 to 4, 7 and the plain export". */
const named = (parts: readonly { part: number }[]): string => {
  const stretches: [number, number][] = [];
  for (const { part } of parts) {
    const last = stretches.at(-1);
    if (part === 0) continue;
    if (last?.[1] === part - 1) last[1] = part;
    else stretches.push([part, part]);
  }
  const shown = stretches
    .slice(0, 5)
    .map(([from, to]) => (from === to ? `${from}` : `${from}${to === from + 1 ? "," : " to"} ${to}`));
  if (stretches.length > shown.length) shown.push("…");
  const plain = parts.some(({ part }) => part === 0) ? ["an export without --new"] : [];
  const single = shown.length === 1 && stretches[0]?.[0] === stretches[0]?.[1];
  const many = shown.length > 0 ? [`part${single ? "" : "s"} ${shown.join(", ")}`] : [];
  return [...plain, ...many].join(" and ");
};
