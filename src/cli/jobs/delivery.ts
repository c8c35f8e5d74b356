import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Archive } from "../../core/archive.ts";
import { UsageError } from "../../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../../core/transcript.ts";
import type { FileFacts } from "../../sinks/part-file.ts";
import type { OutputFlags } from "../options.ts";
import { type Outputs, partFiles, placeOf, type Target } from "../outputs.ts";

/** How one export becomes part of what its destination has had. */
export interface Delivery {
  /** 0 for an export that replaces what was there; `--new` counts from 1. */
  part: number;
  /** Adds to the outputs what they have had, and notes what they get. */
  watch(outputs: Outputs): void;
  /** Makes the files visible and the record complete. */
  complete(outputs: Outputs, facts: JsonObject, exported: number): Promise<FileFacts[]>;
}

/**
Finds out what a destination has had, and takes up what a run that was killed left undone.

A part is recorded as prepared, then its files appear, then the manifest that names it, then the record is confirmed. A
part that is only prepared has appeared if the manifest names it.

@throws UsageError when a plain export and `--new` would get into each other's way
*/
export const deliveryOf = async (archive: Archive, target: Target, flags: OutputFlags): Promise<Delivery> => {
  if (target.kind === "stream") return { part: 0, watch: () => {}, complete: (outputs) => outputs.publish(() => ({})) };
  const { path: place, formats } = target;
  const { root, manifest } = placeOf(target);
  const before = await readManifest(join(root, manifest));
  let last = await archive.lastPart(place);
  // Only with the lock: a part that is just now being written is prepared too.
  if (flags.new && last?.prepared && last.part > 0) {
    if (partsOf(before).some((part) => isObject(part) && part.part === last?.part))
      await archive.confirm(place, last.part);
    else {
      for (const path of partFiles(target, last.part)) await rm(path, { force: true });
      await archive.withdraw(place, last.part);
    }
    last = await archive.lastPart(place);
  }
  if (flags.new && last?.prepared)
    throw new UsageError(`The last export to ${place} did not end. Repeat it without --new first.`);
  if (!flags.new && last && last.part > 0 && before)
    throw new UsageError(`${place} holds parts that --new wrote. Go on with --new, or write somewhere else.`);
  // A folder may know more parts than an archive that was restored: none is ever written over.
  const latest = Math.max(
    last?.part ?? 0,
    ...partsOf(before).map((part) => (isObject(part) ? Number(part.part) || 0 : 0)),
  );
  let part = flags.new ? latest + 1 : 0;
  // A file that somebody else put there is passed by.
  while (part > 0 && partFiles(target, part).some((path) => existsSync(path))) part += 1;

  return {
    part,
    watch: ({ outputs }) => {
      for (const output of outputs) {
        if (flags.new) output.had = (items) => archive.delivered(place, output.format, items);
        output.wrote = (items) => archive.delivering(output.format, items);
      }
    },
    complete: async (outputs, facts, exported) => {
      if (part > 0 && exported === 0) {
        await outputs.discard();
        return [];
      }
      await archive.prepare(place, formats, part);
      const files = await outputs.publish((written) => manifestOf(facts, written, part, before));
      await archive.confirm(place, part);
      return files;
    },
  };
};

/** A plain manifest describes one export; with parts it grows by one each time. */
const manifestOf = (
  facts: JsonObject,
  written: FileFacts[],
  part: number,
  before: JsonObject | undefined,
): JsonObject => {
  const files = written.map((file) => ({ ...file }));
  if (part === 0) return { ...facts, files };
  const { tool = "", ...of } = facts;
  const earlier = Array.isArray(before?.files) ? before.files : [];
  return {
    tool,
    parts: [...partsOf(before), { part, ...of, files: files.map(({ name }) => name) }],
    files: [...earlier, ...files],
  };
};

const partsOf = (manifest: JsonObject | undefined): Json[] => (Array.isArray(manifest?.parts) ? manifest.parts : []);

const readManifest = async (path: string): Promise<JsonObject | undefined> => {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
