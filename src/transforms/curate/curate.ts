import type { DroppedSample, Message, Sample } from "../../core/sample.ts";
import { blank } from "../../core/text.ts";
import type { Transcript } from "../../core/transcript.ts";
import { createTokenGuard } from "./control-tokens.ts";
import { type Draft, type Drop, runSteps, type Step } from "./draft.ts";
import { expandTurns } from "./expand.ts";
import { stripFillers } from "./fillers.ts";
import { settleHalfAnswers, settleInterruptions } from "./half-answers.ts";
import { languageOf } from "./language.ts";
import { limitDialog, limitDuration } from "./limits.ts";
import { dropOpeningTools, settleGreeting, splitOpening } from "./opening.ts";
import type { Change, Policy } from "./policy.ts";
import { dropRepeats } from "./repeats.ts";
import { settleSilence } from "./silence.ts";
import { cutTrailing, draftOf, dropEmpty, mergeTurns, onlyKinds, takeRoles } from "./steps.ts";
import { pairTools } from "./tools.ts";

export type { Change, Policy } from "./policy.ts";
export { needsOf } from "./policy.ts";

/** The longest dialog that is expanded per turn, in messages: the size of its samples grows with the square of the length. */
const MOST_EXPANDED = 1000;

/** The samples of a call, or why there are none. */
export type CurateResult = { samples: Sample[]; changes: Change[] } | DroppedSample;

/**
A call's samples under a policy.

Each sample has at most one system turn, then the dialog: no two turns of one speaker in a row, the agent last. Content is
empty only in padding, tool results, and tool calls without words. Tool calls stay with their results; the preset decides
whether it can express them.
*/
export const curate = (call: Transcript, policy: Policy): CurateResult => {
  const dialog = dialogOf(call, policy);
  if ("dropped" in dialog) return { callId: call.id, step: dialog.step, reason: dialog.dropped };
  const { messages, changes } = dialog;
  const sample: Sample = {
    id: call.id,
    callId: call.id,
    messages,
    language: languageOf(messages),
    ...(call.durationSeconds !== undefined && { durationSeconds: call.durationSeconds }),
  };
  const samples = policy.expand === "turn" ? turnSamples(sample) : [sample];
  if (samples === undefined) return { callId: call.id, step: "expand", reason: "too-many-turns" };
  const canLearn =
    policy.expand !== "turn" && (policy.interrupted ?? "auto") === "auto" ? isLearnedSomewhere : isLearned;
  if (!samples.some((each) => each.messages.some(canLearn)))
    return { callId: call.id, step: "learning", reason: "nothing-to-learn" };
  return { samples, changes };
};

/** A sample per agent turn that may be learned; undefined for a dialog that is too long for this. */
export const turnSamples = (sample: Sample): Sample[] | undefined =>
  sample.messages.length > MOST_EXPANDED ? undefined : expandTurns(sample);

const isLearned = ({ role, learn }: Message): boolean => role === "assistant" && learn !== false;

/** Of half answers, presets that cannot exclude a turn from learning learn what is whole. */
const isLearnedSomewhere = (message: Message): boolean =>
  isLearned(message) || (message.whole !== undefined && !blank(message.whole));

/** The call's messages under a policy, and how they differ from the call. */
export const dialogOf = (
  call: Transcript,
  policy: Policy,
): { messages: Message[]; changes: Change[] } | (Drop & { step: string }) => {
  const guard = createTokenGuard(policy.specialTokens ?? "escape");
  const steps = stepsOf(call, policy, guard.steps);
  const result = runSteps(draftOf(call.turns, promptOf(policy.system ?? "auto", call.system)), steps);
  if ("dropped" in result) return result;
  const safe = guard.finish(messagesOf(result.draft));
  if ("dropped" in safe) return { step: "special-tokens", ...safe };
  const lost: Change[] = safe.messages.some(hasLostCharacter) ? ["characters-replaced"] : [];
  return { messages: safe.messages, changes: [...result.changes, ...safe.changes, ...lost] };
};

/** Lone halves of characters become U+FFFD in transcripts and in files. */
const hasLostCharacter = ({ content }: Message): boolean => content.includes("\ufffd") || !content.isWellFormed();

/** The steps in order. Turns are merged late, so that a merge with a dropped turn is not counted. */
const stepsOf = (call: Transcript, policy: Policy, tokens: readonly Step[]): Step[] => {
  const { greeting = "drop", interrupted = "auto" } = policy;
  return [
    limitDuration(policy, call),
    ...(policy.kinds ? [onlyKinds(policy.kinds)] : []),
    dropRepeats,
    takeRoles,
    ...(typeof policy.system === "object" || policy.system === "none" ? [settleSystem(policy.system)] : []),
    settleInterruptions(interrupted),
    ...(policy.stripFillers ? [stripFillers] : []),
    ...tokens,
    dropEmpty,
    splitOpening,
    settleSilence(policy),
    ...settleHalfAnswers(interrupted),
    ...(greeting === "mask" ? [] : [dropOpeningTools]),
    settleGreeting(greeting),
    cutTrailing,
    mergeTurns,
    pairTools,
    limitDialog(policy),
  ];
};

const promptOf = (policy: NonNullable<Policy["system"]>, own: string | undefined): string | undefined => {
  const text = policy === "auto" ? own : policy === "none" ? undefined : policy.text;
  return text === undefined || blank(text) ? undefined : text;
};

/** Replaces the system turns of the log by the policy's text. */
const settleSystem = (policy: NonNullable<Policy["system"]>): Step => ({
  name: "system",
  run: ({ system: _, ...draft }) => {
    const system = promptOf(policy, undefined);
    return { ...draft, ...(system !== undefined && { system }) };
  },
});

const messagesOf = ({ system, quoted, opening, messages }: Draft): Message[] => [
  ...(system === undefined
    ? []
    : [{ role: "system" as const, content: system, ...(quoted !== undefined && { turns: quoted }) }]),
  ...opening,
  ...messages,
];
