import type { Message } from "../../core/sample.ts";
import { DIGEST_WORDS, type Fingerprint, fingerprintOf } from "./fingerprint.ts";
import { SIMILARITY } from "./minhash.ts";
import { NearSamples } from "./near-samples.ts";
import { Chains, Rows } from "./store.ts";

export interface DedupeOptions {
  /** Drop samples whose folded messages equal those of an earlier sample. @default true */
  exact?: boolean;
  /**
  Drop samples that are nearly the same as an earlier one: as any, or only as one in another split. The latter keeps near
  copies side by side in a split, and only prevents that two splits have them.

  @default "all"
  */
  near?: "all" | "other-splits" | "none";
  /** The least Jaccard similarity of near copies, from 0.5 to 1. @default 0.7 */
  threshold?: number;
  /**
  The samples end with the answer that is learned, and have what came before it in common: near copies must be alike in
  this answer too. @default false
  */
  answers?: boolean;
}

/** A kept sample: 32-bit integers that identify it, and its split. */
export interface SamplePlace {
  /** The number of its conversation. */
  number: number;
  /** The number of the sample in its conversation. @default 0 */
  ordinal?: number;
  split?: string;
}

/** The earlier sample that a sample duplicates. */
export interface Twin {
  of: number;
  ordinal: number;
  kind: "exact" | "near";
  /** Its split. */
  split: string;
}

/**
Finds duplicates in a stream of samples, in the archive's order: by start, then id.

A sample is compared with those that were kept before it: the earliest stays, and later samples never change earlier
decisions. Groups of similar samples would not work: if a new one is similar to two old ones in different splits, grouping
all three would move an old one. Here every sample keeps the split of its conversation, and the new one is dropped. So

- a kept sample never moves to another split when the archive grows;
- no two kept samples that the search finds similar are in different splits;
- only a sample that is older than the known ones (an archive filled backwards) can replace a later one.

Exact: SHA-256 of roles, folded texts and tool calls, the system turn included. Near: MinHash of what the user and the
agent say, without the system turn, which all calls of an agent share. Numbers, names and placeholders count as equal. 112
hashes in 14 bands of 8 find candidates; those with a signature similarity of at least the threshold count. With the default,
at a Jaccard similarity of 0.5 no pair is found, at 0.72 about half, at 0.8 nine in ten, at 0.9 all. Below a threshold of
0.65 there are 28 bands of 4. Short calls that only contain an agent's script are duplicates too.

Memory: 5 MB, and 280 to 330 bytes for each kept sample. Deterministic: no seed, only the order of the samples matters.
*/
export const createDedupe = ({
  exact = true,
  near = "all",
  threshold = SIMILARITY,
  answers = false,
}: DedupeOptions = {}) => {
  const digests = new Rows(DIGEST_WORDS);
  const byDigest = new Chains(digests, 1, DIGEST_WORDS);
  /** By split, so that a sample meets only those that count; of all splits under one name if all count. */
  const alike = new Map<string, NearSamples>();
  const partOf = (split: string): string => (near === "all" ? "" : split);
  /** Number, ordinal and split of each kept sample, in the same row as its digest. */
  const places = new Rows(3);
  const splits: string[] = [];

  const splitNumber = (split: string): number => {
    const known = splits.indexOf(split);
    return known === -1 ? splits.push(split) - 1 : known;
  };
  const twinAt = (row: number, kind: Twin["kind"]): Twin => {
    const [of = 0, ordinal = 0, split = 0] = places.piece(row).subarray(places.at(row), places.at(row) + 3);
    return { of: of | 0, ordinal, kind, split: splits[split] ?? "" };
  };

  const findExact = ({ digest }: Fingerprint): number | undefined => {
    let same: number | undefined;
    byDigest.find(digest, 0, (found) => {
      same = found;
      return "stop";
    });
    return same;
  };
  /** The earliest that is alike. */
  const findNear = ({ signature }: Fingerprint, split: string): number | undefined => {
    let earliest: number | undefined;
    if (signature === undefined) return earliest;
    for (const [part, samples] of alike) {
      if (near !== "all" && part === split) continue;
      const found = samples.find(signature);
      if (found !== undefined && (earliest === undefined || found < earliest)) earliest = found;
    }
    return earliest;
  };

  /** The kept sample that this one duplicates, if any. @param split only needed with `other-splits` */
  const find = (print: Fingerprint, split = ""): Twin | undefined => {
    const same = exact ? findExact(print) : undefined;
    if (same !== undefined) return twinAt(same, "exact");
    const similar = near === "none" ? undefined : findNear(print, split);
    return similar === undefined ? undefined : twinAt(similar, "near");
  };

  /** Remembers a sample that is kept. */
  const keep = ({ digest, signature }: Fingerprint, { number, ordinal = 0, split = "" }: SamplePlace): void => {
    if (exact) {
      digests.push(digest);
      byDigest.add();
    }
    // A text without letters is no near copy of any.
    if (near !== "none" && signature) {
      const samples = alike.get(partOf(split)) ?? new NearSamples(threshold, answers);
      alike.set(partOf(split), samples);
      samples.add(signature, places.length);
    }
    places.push([number, ordinal, splitNumber(split)]);
  };

  return {
    /** Whether fingerprints need signatures. */
    near: near !== "none",
    find,
    keep,
    /** Finds a sample's twin, or keeps the sample. */
    add: (messages: readonly Message[], place: SamplePlace): Twin | undefined => {
      const print = fingerprintOf(messages, near !== "none");
      const twin = find(print, place.split);
      if (!twin) keep(print, place);
      return twin;
    },
  };
};
