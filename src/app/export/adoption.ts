import { basename, join } from "node:path";
import type {} from "../../core/archive.ts";
import type { Adoption, Deliveries } from "../../core/deliveries.ts";
import { UsageError } from "../../core/errors.ts";
import type { Log } from "../../core/ports.ts";
import type { Manifest, ManifestPart } from "../../sinks/manifest.ts";
import { type IdStyle, type WriterName, type WriterShape, writers } from "../../writers/index.ts";
import type { Finding } from "../verify/finding.ts";
import { verifyFiles } from "../verify/verify-output.ts";
import { type FileTarget, partNames, placeOf } from "./output-names.ts";
import { idsIn } from "./part-ids.ts";

export interface AdoptContext {
  archive: Deliveries & Adoption;
  target: FileTarget;
  log: Log;
  signal: AbortSignal;
}

/** Of findings, so many are named in an error. */
const NAMED = 3;

/**
Believes a place: exactly what its parts hold counts as delivered there. Without a manifest that is nothing.

@param manifest as it will be, with the tokens of this archive; resolves to the same
@throws UsageError when a file is not what the manifest says, or does not tell which calls it holds: nothing is changed then
*/
export const adoptPlace = async (
  { archive, target, log, signal }: AdoptContext,
  manifest: Manifest | undefined,
): Promise<Manifest | undefined> => {
  const { path: place } = target;
  if (manifest) await checkFiles(manifest, target);
  const parts = (manifest?.parts ?? []).map((part) => ({ ...part, ...contentOf(part, target) }));
  for (const { part, exported, read, silent } of parts) {
    let whole = false;
    for (const { name, format, style } of read) {
      let calls = 0;
      for await (const ids of idsIn(join(placeOf(target).root, name), style)) {
        signal.throwIfAborted();
        calls += ids.length;
        // Each format of a run has had each call that the run wrote, then or before.
        await archive.adopting(part, [format, ...silent], ids);
      }
      // A plain export writes the same calls in all its formats.
      whole ||= part === 0 || calls === exported;
    }
    if (silent.length > 0 && !whole) throw new UsageError(mute(place, part, silent));
  }
  const { known, unknown } = await archive.adopt(
    place,
    parts.map(({ part, token = "", formats }) => ({ part, token, formats })),
  );
  log("info", "adopted", { place, parts: parts.length, known });
  if (unknown > 0) log("warn", "adopted-unknown", { place, unknown });
  return manifest;
};

/** @throws UsageError */
const checkFiles = async (manifest: Manifest, target: FileTarget): Promise<void> => {
  const findings: Finding[] = [];
  await verifyFiles(manifest, target.path, target.path, target.kind === "folder", (finding) => findings.push(finding));
  if (findings.length === 0) return;
  const told = findings.slice(0, NAMED).map(({ where, what }) => `${where} ${what}`);
  if (findings.length > NAMED) told.push("…");
  throw new UsageError(
    `--adopt reads only files that are as the manifest says: ${told.join("; ")}. Put them back, or name another place with -o.`,
  );
};

/** What a part's files are: those that name their calls, and the formats that do not. @throws UsageError */
const contentOf = (
  { part, files }: ManifestPart,
  target: FileTarget,
): { formats: WriterName[]; silent: WriterName[]; read: { name: string; format: WriterName; style: IdStyle }[] } => {
  const names = partNames(target, part);
  const known = files.map(({ name }) => {
    const file = names.find((each) => each.name === name);
    if (!file)
      throw new UsageError(
        `--adopt does not know what ${basename(name)} in ${target.path} is: only the files of an export can be read.`,
      );
    return file;
  });
  const formats = [...new Set(known.map(({ format }) => format))];
  const silent = formats.filter((format) => idStyle(format, target) === undefined);
  const read = known.flatMap(({ name, format, main }) => {
    const style = idStyle(format, target);
    return main && style ? [{ name, format, style }] : [];
  });
  return { formats, silent, read };
};

const idStyle = (format: WriterName, { kind }: FileTarget): IdStyle | undefined => {
  const { ids }: WriterShape = writers[format];
  return ids[kind];
};

const mute = (place: string, part: number, silent: readonly WriterName[]): string =>
  `${part === 0 ? "The export" : `Part ${part}`} in ${place} has ${silent.join(" and ")} output, which does not name its calls, and no other file there names all of them. Go on with the archive that wrote it, or name another place with -o. Written with -f ndjson,${silent[0]}, a folder can be adopted.`;
