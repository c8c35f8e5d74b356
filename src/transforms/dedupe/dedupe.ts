import { createHash } from "node:crypto";
import type { Message } from "../../core/sample.ts";
import { BAND_WORDS, BANDS, isAlike, SIGNATURE_WORDS, signature } from "./minhash.ts";
import { folded } from "./shingles.ts";
import { Chains, Rows } from "./store.ts";

export interface DedupeOptions {
  /** Drop calls whose folded messages equal those of an earlier call. @default true */
  exact?: boolean;
  /** Drop calls that are nearly the same. @default true */
  near?: boolean;
  /**
  Which earlier calls a call is compared with: `all`, or only those in `other-splits`. The latter keeps duplicates inside
  one split, and only prevents that two splits have the same call.

  @default "all"
  */
  of?: "all" | "other-splits";
}

/** The earlier call, by its number, that a call duplicates. */
export interface Twin {
  of: number;
  kind: "exact" | "near";
}

/** How many kept calls with an equal band are compared, newest first: if more share it, it is only the agent's script. */
const MOST_COMPARED = 1000;
/** A SHA-256 shortened to 128 bits. */
const DIGEST_WORDS = 4;

/**
Finds duplicates in a stream of whole calls, in the archive's order: by start, then id. Expand samples afterwards.

A call is compared with the calls that were kept before it: the earliest stays, and later calls never change earlier
decisions. Groups of similar calls would not work: if a new call is similar to two old ones in different splits, grouping
all three would move an old one. Here every call keeps the split of its own id, and the new call is dropped. So

- a kept call never moves to another split when the archive grows;
- no two kept calls that the search finds similar are in different splits;
- only a call that is older than the known ones (an archive filled backwards) can replace a later call.

Exact: SHA-256 of roles, folded texts and tool calls, the system turn included. Near: MinHash of what the user and the
agent say, without the system turn, which all calls of an agent share. 112 hashes in 14 bands of 8 find candidates; those with
a signature similarity of at least 0.7 count. At a Jaccard similarity of 0.5 no pair is found, at 0.72 about half, at 0.8
nine in ten, at 0.9 all. Short calls that only contain an agent's script are duplicates too.

Memory: 5 MB, and 270 to 320 bytes for each kept call. Deterministic: no seed, only the order of the calls matters.
*/
export const createDedupe = ({ exact = true, near = true, of = "all" }: DedupeOptions = {}) => {
  const digests = new Rows(DIGEST_WORDS);
  const byDigest = new Chains(digests, 1, DIGEST_WORDS);
  const signatures = new Rows(SIGNATURE_WORDS);
  const byBand = new Chains(signatures, BANDS, BAND_WORDS);
  /** The number and the split of each kept call, in the same row as its digest and signature. */
  const calls = new Rows(2);
  const splits = new Map<string, number>();

  /** Whether a duplicate of the call in this row is dropped from this split. */
  const mustDiffer = (row: number, split: number): boolean =>
    of === "all" || calls.piece(row)[calls.at(row) + 1] !== split;
  const numberOf = (row: number): number => (calls.piece(row)[calls.at(row)] ?? 0) | 0;

  return {
    /**
    The call that this one duplicates; undefined if this one is kept.

    @param number identifies the call, a 32-bit integer: an index, or the archive's item.
    @param split of the call; only needed with `other-splits`.
    */
    add: (number: number, messages: readonly Message[], split = ""): Twin | undefined => {
      const part = splits.get(split) ?? splits.size;
      splits.set(split, part);
      const texts = messages.map(({ content }) => folded(content));
      const digest = exact ? digestOf(messages, texts) : undefined;
      if (digest !== undefined) {
        let same: number | undefined;
        byDigest.find(digest, 0, (found) => {
          same = found;
          return "stop";
        });
        // If copies are kept, only the first is stored here, so that copies take no memory.
        if (same !== undefined) return mustDiffer(same, part) ? { of: numberOf(same), kind: "exact" } : undefined;
      }
      const spoken = texts.filter((_, index) => isSpoken(messages[index]));
      const words = near ? (signature(spoken.join("\n")) ?? uniqueSignature(number)) : undefined;
      if (words !== undefined) {
        let alike: number | undefined;
        for (let band = 0; band < BANDS; band++) {
          let left = MOST_COMPARED;
          byBand.find(words, band, (found) => {
            const isEarlier = alike === undefined || found < alike;
            if (
              isEarlier &&
              mustDiffer(found, part) &&
              isAlike(words, 0, signatures.piece(found), signatures.at(found))
            )
              alike = found;
            return --left > 0 ? "on" : "stop";
          });
        }
        if (alike !== undefined) return { of: numberOf(alike), kind: "near" };
      }
      if (digest !== undefined) {
        digests.push(digest);
        byDigest.add();
      }
      if (words !== undefined) {
        signatures.push(words);
        byBand.add();
      }
      calls.push([number, part]);
      return undefined;
    },
  };
};

const isSpoken = (message: Message | undefined): boolean => message?.role === "user" || message?.role === "assistant";

const digestOf = (messages: readonly Message[], texts: readonly string[]): Uint32Array => {
  const lines = messages.map(({ role, toolCalls = [] }, index) => [
    role,
    texts[index],
    ...toolCalls.flatMap((call) => [call.name, call.arguments]),
  ]);
  const hash = createHash("sha256").update(JSON.stringify(lines)).digest();
  return Uint32Array.from({ length: DIGEST_WORDS }, (_, word) => hash.readUInt32BE(4 * word));
};

/** A unique signature for texts without letters, so that they are never near duplicates. */
const uniqueSignature = (number: number): Uint32Array => {
  const bytes = createHash("sha512").update(`no letters ${number}`).digest();
  return Uint32Array.from({ length: SIGNATURE_WORDS }, (_, word) => bytes.readUInt32BE((4 * word) % 64) ^ word);
};
