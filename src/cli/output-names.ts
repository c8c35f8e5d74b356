import { basename, dirname, join } from "node:path";
import type { Special } from "../sinks/places.ts";
import { type WriterName, writers } from "../writers/index.ts";

/** Where the data goes, decided before any work is done. */
export type Target = FileTarget | { kind: "stream"; to?: Special; formats: [WriterName] };

export type FileTarget =
  | { kind: "folder"; path: string; formats: WriterName[] }
  | { kind: "file"; path: string; formats: [WriterName]; isThere: boolean };

/** The folder that the files of a target are in, and its manifest's name there. */
export const placeOf = (target: FileTarget): { root: string; manifest: string } =>
  target.kind === "file"
    ? { root: dirname(target.path), manifest: `${basename(target.path)}.manifest.json` }
    : { root: target.path, manifest: "manifest.json" };

const FORMATS = Object.keys(writers) as WriterName[];
/** As `writers/file-name.ts` makes them of ids. */
const DOCUMENT = /^[\w.%~-]+\.json(\.gz)?$/;

/** Part 3 of `transcripts.ndjson` is `transcripts-00003.ndjson`; part 0 is the whole. */
export const partName = (name: string, part: number): string => {
  if (part === 0) return name;
  const [, stem = name, ending = ""] = /^((?:.*\/)?[^./]*)(.*)$/.exec(name) ?? [];
  return `${stem}-${String(part).padStart(5, "0")}${ending}`;
};

export const reportName = (name: string): string => `${name}.report.ndjson`;

/** A file that a part may bring: its name in the folder, its format, and whether it is the format's main one. */
export interface PartName {
  name: string;
  format: WriterName;
  main: boolean;
}

/** Of the files that are not named by an id, those that a part may bring, of any format. */
export const partNames = (target: FileTarget, part: number): PartName[] => {
  if (target.kind === "folder")
    return FORMATS.flatMap((format) => [
      { name: partName(writers[format].file, part), format, main: true },
      ...writers[format].sidecars.map((name) => ({ name: partName(name, part), format, main: false })),
    ]);
  const name = partName(basename(target.path), part);
  const [format] = target.formats;
  return [
    { name, format, main: true },
    { name: reportName(name), format, main: false },
  ];
};

/** The same names alone. */
const namesOfPart = (target: FileTarget, part: number): string[] => partNames(target, part).map(({ name }) => name);

/** The same as paths. */
export const partFiles = (target: FileTarget, part: number): string[] =>
  namesOfPart(target, part).map((name) => join(placeOf(target).root, name));

/** Those that these formats write at once. */
export const namesWritten = (target: FileTarget): string[] =>
  target.formats.flatMap((format) => {
    const { file, sidecars } = writers[format];
    if (target.kind === "folder") return [file, ...sidecars];
    const name = basename(target.path);
    return sidecars.length > 0 ? [name, reportName(name)] : [name];
  });

/** Whether some run writes a file of this name there. */
export const isOutputName = (target: FileTarget, name: string): boolean => {
  if (target.kind === "folder" && name.startsWith("raw/") && isDocumentName(name.slice("raw/".length))) return true;
  const part = Number(/-(\d{5,})(?:\.|$)/.exec(basename(name))?.[1] ?? 0);
  return namesOfPart(target, 0).includes(name) || namesOfPart(target, part).includes(name);
};

/** Whether `raw/` can hold a document of this name. */
export const isDocumentName = (name: string): boolean => DOCUMENT.test(name);
