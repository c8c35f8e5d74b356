import type { DroppedSample, Message, Sample } from "../../core/sample.ts";
import { withoutHalfAnswers } from "../../transforms/curate/half-answers.ts";
import { createDedupe, type Twin } from "../../transforms/dedupe/dedupe.ts";
import { createPrinter, type Fingerprint, fingerprintOf } from "../../transforms/dedupe/fingerprint.ts";
import type { Exclusions, FoundExclusion } from "./exclude.ts";
import type { DatasetPlan } from "./plan.ts";

/** What a sample is made of. */
export type Unit = NonNullable<DroppedSample["unit"]>;

type Settled = "dedupe" | "dedupeThreshold" | "splits" | "withinBudget" | "exclusions" | "maxCharacters" | "scores";

export interface SettlePlan extends Pick<DatasetPlan, Settled> {
  /** Some presets write samples without half answers: those that differ only in these are copies. @default false */
  isMixed?: boolean;
}

/** The samples of a conversation that are not settled yet. */
export interface Unsettled {
  /** Its qualified id. */
  conversation: string;
  split: string;
  /** In their order; those of turns continue each other. */
  samples: readonly Sample[];
}

/**
Decides which samples of one unit stay: those with enough score, within the budget, that are not in an excluded file, and no
copies of what was kept before. The others are added to `lost`.

Conversations must come in the archive's order. Each preset of the unit has all samples that stay.
*/
export const createSettle = (plan: SettlePlan, unit: Unit) => {
  const { dedupe, dedupeThreshold: threshold, splits, withinBudget, exclusions, isMixed = false } = plan;
  // Exact copies teach nothing new; near ones are dropped on demand, and always where they would straddle two splits.
  const straddling = splits.length > 1 ? "other-splits" : "none";
  const near = dedupe === "near" ? "all" : straddling;
  const answers = unit === "turn";
  const copies =
    dedupe === "none" ? undefined : createDedupe({ near, answers, ...(threshold !== undefined && { threshold }) });
  const conversations: string[] = [];

  const nameOf = ({ of, ordinal }: Twin): string => `${conversations[of]}${ordinal === 0 ? "" : `#${ordinal}`}`;

  return ({ conversation, split, samples: all }: Unsettled, lost: DroppedSample[]): Sample[] => {
    const samples = plan.scores?.gate({ conversation, samples: all }, unit, lost) ?? all;
    const looks = looksOf(samples, { unit, isMixed, near: copies?.near, exclusions });
    const stay: Sample[] = [];
    let number: number | undefined;
    for (const { sample, print: whole, match } of looks) {
      const lose = (why: Pick<DroppedSample, "step" | "reason" | "of">): void =>
        void lost.push({ callId: sample.id, unit, ...why });
      const find = (print: Fingerprint | undefined): Twin | undefined => print && copies?.find(print, split);
      if (match) {
        lose({ step: "exclude", reason: match.kind, of: match.of });
        continue;
      }
      let print = whole;
      let twin = find(print);
      const within = twin || !withinBudget ? sample : withinBudget(sample.messages);
      if (within && copies && within.messages.length !== sample.messages.length) {
        // What is left of a sample can be what is left of another one.
        print = fingerprintOf(isMixed ? withoutHalfAnswers(within.messages) : within.messages, copies.near);
        twin = find(print);
      }
      if (twin) lose({ step: "dedupe", reason: reasonOf(twin, split), of: nameOf(twin) });
      else if (!within) lose({ step: "max-tokens", reason: "over-budget" });
      else if (plan.maxCharacters !== undefined && charactersOf(within.messages) > plan.maxCharacters)
        lose({ step: "length", reason: "max-characters" });
      else {
        number ??= conversations.push(conversation) - 1;
        if (print) copies?.keep(print, { number, ordinal: ordinalOf(sample), split });
        stay.push(withinBudget ? { ...sample, ...within } : sample);
      }
    }
    return stay;
  };
};

/** As `check` counts the characters of a row. */
const charactersOf = (messages: readonly Message[]): number =>
  messages.reduce(
    (sum, { content, toolCalls = [] }) =>
      sum + content.length + toolCalls.reduce((all, call) => all + call.name.length + call.arguments.length, 0),
    0,
  );

const reasonOf = (twin: Twin, split: string): string =>
  `${twin.kind}-duplicate${twin.split === split ? "" : "-across-splits"}`;

/** The number of a sample in its conversation; 0 for the sample of a whole call. */
const ordinalOf = ({ id, callId }: Sample): number => Number(id.slice(callId.length + 1));

interface Look {
  sample: Sample;
  print: Fingerprint | undefined;
  match: FoundExclusion | undefined;
}

interface LookOptions {
  unit: Unit;
  isMixed: boolean;
  /** Whether fingerprints need signatures; undefined for no fingerprints. */
  near: boolean | undefined;
  exclusions: Exclusions | undefined;
}

/** What copies and excluded rows are found by, sample by sample. */
function* looksOf(samples: readonly Sample[], { unit, isMixed, near, exclusions }: LookOptions): Generator<Look> {
  // Then each sample begins with all messages of the one before.
  const continued = unit === "turn" && !isMixed;
  const begin = () => ({
    printer: near === undefined ? undefined : createPrinter(near, continued),
    matcher: exclusions?.matcher(),
    added: 0,
  });
  let dialog = begin();
  for (const sample of samples) {
    if (!continued) dialog = begin();
    const messages = isMixed ? withoutHalfAnswers(sample.messages) : sample.messages;
    for (; dialog.added < messages.length; dialog.added++) {
      const message = messages[dialog.added] as Message;
      dialog.printer?.add(message);
      dialog.matcher?.add(message);
    }
    yield { sample, print: dialog.printer?.print(), match: dialog.matcher?.match() };
  }
}
