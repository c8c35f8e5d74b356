import type { DroppedSample, Message, Sample } from "../../core/sample.ts";
import type { Transcript } from "../../core/transcript.ts";
import { type Draft, type Drop, runSteps, type Step } from "./draft.ts";
import { expandTurns } from "./expand.ts";
import { stripFillers } from "./fillers.ts";
import { languageOf } from "./language.ts";
import { limitDialog, limitDuration } from "./limits.ts";
import { blank } from "./merge.ts";
import { dropOpeningTools, settleGreeting, splitOpening } from "./opening.ts";
import type { Change, Policy } from "./policy.ts";
import { cutTrailing, draftOf, dropEmpty, mergeTurns, onlyKinds, settleInterruptions, takeRoles } from "./steps.ts";
import { pairTools } from "./tools.ts";

export type { Change, Policy } from "./policy.ts";
export { needsOf } from "./policy.ts";

/** A sample per turn grows with the square of the turns: of longer dialogs nobody wants them all. */
const MOST_EXPANDED = 1000;

/** What became of a call: its samples, or why there are none. */
export type Curated = { samples: Sample[]; changes: Change[] } | DroppedSample;

/**
A call's samples under a policy.

Each is at most one leading system turn, then the dialog: no two turns of one speaker in a row, the agent last, no
content empty but for padding, for tools' results and for calls of tools without words. Calls of tools are kept with
their results; whether they can be expressed is the preset's to say.
*/
export const curate = (call: Transcript, policy: Policy): Curated => {
  const told = tell(call, policy);
  if ("dropped" in told) return { callId: call.id, step: told.step, reason: told.dropped };
  const { messages, changes } = told;
  const sample: Sample = {
    id: call.id,
    callId: call.id,
    messages,
    language: languageOf(messages),
    ...(call.durationSeconds !== undefined && { durationSeconds: call.durationSeconds }),
  };
  if (policy.expand === "turn" && messages.length > MOST_EXPANDED)
    return { callId: call.id, step: "expand", reason: "too-many-turns" };
  const samples = policy.expand === "turn" ? expandTurns(sample) : [sample];
  if (!samples.some((each) => each.messages.some(isLearned)))
    return { callId: call.id, step: "learning", reason: "nothing-to-learn" };
  return { samples, changes };
};

const isLearned = ({ role, learn }: Message): boolean => role === "assistant" && learn !== false;

/** The call's messages under a policy, and what was changed of its words. */
export const tell = (
  call: Transcript,
  policy: Policy,
): { messages: Message[]; changes: Change[] } | (Drop & { step: string }) => {
  const told = runSteps(draftOf(call.turns, promptOf(policy.system ?? "auto", call.system)), stepsOf(call, policy));
  return "dropped" in told ? told : { messages: messagesOf(told.draft), changes: told.changes };
};

/** In this order: merged late, so that only what stays counts as merged. */
const stepsOf = (call: Transcript, policy: Policy): Step[] => {
  const { greeting = "system", interrupted = "cut" } = policy;
  return [
    limitDuration(policy, call),
    ...(policy.kinds ? [onlyKinds(policy.kinds)] : []),
    takeRoles,
    ...(typeof policy.system === "object" || policy.system === "none" ? [settleSystem(policy.system)] : []),
    settleInterruptions(interrupted),
    ...(policy.stripFillers ? [stripFillers] : []),
    dropEmpty,
    splitOpening,
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

/** Puts the policy's text in the place of whatever system turns the log began with. */
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
