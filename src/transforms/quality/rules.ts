import type { Transcript } from "../../core/transcript.ts";
import { oneWordShare, turnsWithContent } from "./caller.ts";
import { gibberishShare } from "./gibberish.ts";
import { mostReprompts, repeatedShare } from "./repeats.ts";
import type { QualityRuleName } from "./rule-names.ts";
import type { Spoken } from "./talk.ts";
import { transferFromEnd } from "./transfer.ts";

export interface QualityRule {
  /** The threshold without another one. */
  default: number;
  /** What thresholds can be: a share from 0 (excluded) to 1, or a whole number from 1 on. */
  kind: "share" | "count";
  isBroken(spoken: readonly Spoken[], threshold: number, transcript: Pick<Transcript, "turns">): boolean;
}

/**
The rules. The defaults are chosen to keep what is merely short or clumsy: see `docs/datasets.md`.
*/
export const QUALITY_RULES = {
  "hang-up": {
    default: 1,
    kind: "count",
    isBroken: (spoken, least) => turnsWithContent(spoken) < least,
  },
  "one-word": { default: 0.9, kind: "share", isBroken: (spoken, most) => oneWordShare(spoken) >= most },
  gibberish: { default: 0.3, kind: "share", isBroken: (spoken, most) => gibberishShare(spoken) >= most },
  "re-prompts": { default: 3, kind: "count", isBroken: (spoken, most) => mostReprompts(spoken) >= most },
  repetition: { default: 0.5, kind: "share", isBroken: (spoken, most) => repeatedShare(spoken) >= most },
  transfer: {
    default: 2,
    kind: "count",
    isBroken: (spoken, last, { turns }) => (transferFromEnd(spoken, turns) ?? Number.POSITIVE_INFINITY) <= last,
  },
} as const satisfies Record<QualityRuleName, QualityRule>;
