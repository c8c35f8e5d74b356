import { createHash } from "node:crypto";
import type { Message } from "../../core/sample.ts";
import { BAND_WORDS, BANDS, isAlike, SIGNATURE_WORDS, signature } from "./minhash.ts";
import { folded } from "./shingles.ts";
import { Chains, Rows } from "./store.ts";

export interface DedupeOptions {
  /** Drop calls whose messages, folded, are the same as those of a call before. @default true */
  exact?: boolean;
  /** Drop calls that are nearly the same. @default true */
  near?: boolean;
  /**
  Of which calls before a call must not be a duplicate: of `all`, or only of those in `other-splits`. The latter keeps
  duplicates side by side in one split, and only takes care that none straddles two.

  @default "all"
  */
  of?: "all" | "other-splits";
}

/** The call before, by the caller's own number, whose duplicate a call is. */
export interface Twin {
  of: number;
  kind: "exact" | "near";
}

/** Of the kept calls that share a band, the newest so many are looked at: more share it when it is the script's, not theirs. */
const LOOKED_AT = 1000;
/** A SHA-256, cut to 128 bits. */
const DIGEST_WORDS = 4;

/**
Tells duplicates while calls pass by, whole calls in the archive's order: by start, then id. Expand them afterwards.

A call is held against the calls that were kept before it, so the earliest of its kind stays and no decision is ever
taken back: whatever comes later changes nothing for what came before. That solves what groups cannot: when a new call is
like two old ones in different splits, a group of all three would move one of the old ones. Here every call has the split
of its own id, for ever, and the newcomer is dropped. So

- a kept call never moves between splits, however the archive grows;
- no two kept calls that the search finds alike lie in different splits;
- only a call that is older than those known (an archive filled backwards) can take a later one's place.

Exact: SHA-256 of roles, folded texts and tool calls, the system turn included. Near: MinHash of what the user and the
agent say, without the system turn, which an agent's calls share; 112 hashes in 14 bands of 8 find candidates, and those
count whose signatures are at least 0.7 alike. At a Jaccard similarity of 0.5 no pair is found, at 0.72 about half, at
0.8 nine in ten, at 0.9 all. Short texts of an agent's script alone are alike too, and rightly so.

Memory: 270 to 320 bytes for each kept call, and 5 MB to begin with; none for the dropped. Deterministic: no seed, no order but the caller's.
*/
export const createDedupe = ({ exact = true, near = true, of = "all" }: DedupeOptions = {}) => {
  const digests = new Rows(DIGEST_WORDS);
  const byDigest = new Chains(digests, 1, DIGEST_WORDS);
  const signatures = new Rows(SIGNATURE_WORDS);
  const byBand = new Chains(signatures, BANDS, BAND_WORDS);
  /** Of each kept call, in the same row as there: its number and its split. */
  const calls = new Rows(2);
  const splits = new Map<string, number>();

  /** Whether a call of this split must not be a duplicate of the one in this row. */
  const mustDiffer = (row: number, split: number): boolean =>
    of === "all" || calls.piece(row)[calls.at(row) + 1] !== split;
  const numberOf = (row: number): number => (calls.piece(row)[calls.at(row)] ?? 0) | 0;

  return {
    /**
    The call that this one is a duplicate of; undefined when it is to be kept.

    @param number the caller's own, a 32-bit integer: an index, or the archive's item.
    @param split of the call; only `other-splits` asks for it.
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
        // Where copies are kept, the first stands for all: a thousand take the room of one.
        if (same !== undefined) return mustDiffer(same, part) ? { of: numberOf(same), kind: "exact" } : undefined;
      }
      const spoken = texts.filter((_, index) => isSpoken(messages[index]));
      const words = near ? (signature(spoken.join("\n")) ?? unique(number)) : undefined;
      if (words !== undefined) {
        let alike: number | undefined;
        for (let band = 0; band < BANDS; band++) {
          let left = LOOKED_AT;
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

/** A signature like no other's, for texts without a letter: they are duplicates only when they are the same. */
const unique = (number: number): Uint32Array => {
  const bytes = createHash("sha512").update(`no letters ${number}`).digest();
  return Uint32Array.from({ length: SIGNATURE_WORDS }, (_, word) => bytes.readUInt32BE((4 * word) % 64) ^ word);
};
