import type { Facts } from "../../core/archive.ts";
import type { Adoption, Deliveries } from "../../core/deliveries.ts";
import type { JsonObject } from "../../core/transcript.ts";
import type { FileFacts } from "../../sinks/atomic-file.ts";
import { completeManifest, type Manifest, manifestWithPart, tokenOf } from "../../sinks/manifest.ts";
import type { ArchiveRequest, OutputRequest } from "../requests.ts";
import { checkFree, continuePlace, nextPart, type PlaceContext } from "./continuation.ts";
import type { Outputs, Target } from "./outputs.ts";

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

@throws UsageError when a plain export and `--new` would get into each other's way, and when `--new` cannot tell what
the place has had
*/
export const deliveryOf = async (
  archive: Deliveries & Adoption & Facts,
  target: Target,
  request: OutputRequest & ArchiveRequest,
  context: Pick<PlaceContext, "host" | "log" | "signal">,
): Promise<Delivery> => {
  if (target.kind === "stream") return { part: 0, watch: () => {}, complete: (outputs) => outputs.publish(noManifest) };
  const { path: place, formats } = target;
  // An archive that is gone after the run has nothing to recognise its output by.
  const id = request.archive === false ? undefined : await archive.fact("id");
  let before: Manifest | undefined;
  let part = 0;
  if (request.new) {
    before = await continuePlace({ ...context, archive, target, id: id ?? "", adopt: request.adopt === true });
    part = nextPart(before);
    checkFree(target, part);
  }

  return {
    part,
    watch: ({ outputs }) => {
      for (const output of outputs) {
        if (request.new) output.alreadyDelivered = (items) => archive.delivered(place, output.format, items);
        output.onWritten = (items) => archive.delivering(output.format, items);
      }
    },
    complete: async (outputs, facts, exported) => {
      if (part > 0 && exported === 0) {
        await outputs.discard();
        return [];
      }
      const files = await outputs.publish(async (written) => {
        const token = id === undefined ? undefined : tokenOf(id, part, written);
        await archive.prepare(place, formats, part, token);
        if (part === 0 || id === undefined || token === undefined) return completeManifest(facts, written, id);
        return manifestWithPart(before, id, { part, token, files: written }, facts);
      });
      await archive.confirm(place, part);
      return files;
    },
  };
};

const noManifest = async (): Promise<JsonObject> => ({});
