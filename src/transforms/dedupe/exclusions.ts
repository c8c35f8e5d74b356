import { createHash } from "node:crypto";
import type { Message } from "../../core/sample.ts";
import { comparable } from "./fingerprint.ts";
import { SIMILARITY } from "./minhash.ts";
import { ShingleIndex } from "./shingle-index.ts";
import { createShingler } from "./shingles.ts";

/** A row that a sample is too similar to. */
export interface ExclusionMatch {
  /** The row's number, from 0, in the order of `add`. */
  row: number;
  kind: "exact-match" | "near-match";
}

/** Shorter passages are in many dialogs, so they are only compared with whole samples. */
const LEAST_SHINGLES = 16;

/**
Finds samples that are in an evaluation set.

A sample matches a row if the dialogs are equal (exact), or if enough five-token shingles are common (near): of both
together, of the row, or of the sample, so that a row is found inside a longer dialog and the beginning of a dialog inside a
row. Numbers, names and placeholders count as equal, and the system turn does not count.

Add all rows before the first match. Memory: 8 bytes for each different shingle of each row, and 100 bytes for each row.

@param threshold the least share of common shingles; @default 0.7
*/
export const createExclusions = (threshold = SIMILARITY) => {
  const digests = new Map<string, number>();
  const contents = new Set<string>();
  const index = new ShingleIndex();
  let rows = 0;

  return {
    /** Adds a row. Returns false if it has no letters and digits: nothing can match it. */
    add: (messages: readonly Message[]): boolean => {
      const dialog = createDialog();
      for (const message of messages) dialog.add(message);
      const shingles = Int32Array.from(dialog.shingles()).sort();
      const digest = dialog.digest();
      const row = rows++;
      if (shingles.length === 0) return false;
      if (!digests.has(digest)) digests.set(digest, row);
      // Copies of a row would make all its shingles look like an agent's script.
      const content = createHash("sha256").update(shingles).digest("base64url");
      if (!contents.has(content)) index.add(row, shingles);
      contents.add(content);
      return true;
    },
    /** Matches a dialog that grows. */
    matcher: () => {
      const dialog = createDialog();
      const counter = index.counter();
      /** The counter of a dialog that is shorter than a shingle. */
      const short = (): typeof counter | undefined => {
        const rest = dialog.rest();
        if (rest === undefined) return undefined;
        const alone = index.counter();
        alone.add(rest);
        return alone;
      };
      return {
        add: (message: Message): void => {
          for (const hash of dialog.add(message)) counter.add(hash);
        },
        /** The most similar row to all messages so far, of equally similar ones the first. */
        match: (): ExclusionMatch | undefined => {
          const same = digests.get(dialog.digest());
          if (same !== undefined && dialog.shingles().size > 0) return { row: same, kind: "exact-match" };
          let best: { row: number; share: number } | undefined;
          const { size: own, counts } = short() ?? counter;
          for (const [row, common] of counts()) {
            const whole = index.sizeOf(row);
            const share = Math.max(
              common / (own + whole - common),
              whole >= LEAST_SHINGLES ? common / whole : 0,
              own >= LEAST_SHINGLES ? common / own : 0,
            );
            if (share < threshold) continue;
            if (!best || share > best.share || (share === best.share && row < best.row)) best = { row, share };
          }
          return best && { row: best.row, kind: "near-match" };
        },
      };
    },
  };
};

/** What the user and the agent say. */
const createDialog = () => {
  const hash = createHash("sha256");
  const shingler = createShingler();
  const found = new Set<number>();
  return {
    /** Adds a message; returns the shingles that are new. */
    add: ({ role, content }: Message): readonly number[] => {
      if ((role !== "user" && role !== "assistant") || content.trim() === "") return [];
      const { exact, near } = comparable(content);
      // A space, as between the lines of one text: rows of tables have no messages.
      hash.update(`${exact} `);
      const added: number[] = [];
      for (const shingle of shingler.feed(near))
        if (!found.has(shingle)) {
          found.add(shingle);
          added.push(shingle);
        }
      return added;
    },
    /** See `createShingler`. */
    rest: shingler.rest,
    /** All shingles so far; of a text that is shorter than one, one of all of it. */
    shingles: (): ReadonlySet<number> => {
      const rest = shingler.rest();
      return rest === undefined ? found : new Set([rest]);
    },
    digest: (): string => hash.copy().digest("base64url"),
  };
};
