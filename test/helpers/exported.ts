import { expect } from "vitest";
import type { Transcript } from "../../src/core/transcript.ts";
import type { Workplace } from "./workplace.ts";

/** What the archive of a place exports, byte for byte. */
export const exported = async (place: Workplace, ...flags: string[]): Promise<string> => {
  const ran = await place.runHere(["export", "--offline", "-o", "-", ...flags]);
  expect([ran.code, ran.code === 0 ? "" : ran.stderr]).toEqual([0, ""]);
  return ran.stdout;
};

/** The transcripts that it exports. */
export const transcripts = async (place: Workplace, ...flags: string[]): Promise<Transcript[]> =>
  (await exported(place, ...flags))
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
