import type { Transcript } from "../../core/transcript.ts";
import type { Draft, Step } from "./draft.ts";
import type { DropReason, Policy } from "./policy.ts";

type Limit = readonly [reason: DropReason, isBroken: boolean];

const firstBroken = (limits: Limit[]): { dropped: DropReason } | undefined => {
  const broken = limits.find(([, isBroken]) => isBroken);
  return broken && { dropped: broken[0] };
};

/** Drops calls that are too short or too long in time. */
export const limitDuration = ({ minDuration = 0, maxDuration = Infinity }: Policy, call: Transcript): Step => ({
  name: "duration",
  run: (draft) => {
    const seconds = durationOf(call);
    return (
      firstBroken([
        ["min-duration", seconds < minDuration],
        ["max-duration", seconds > maxDuration],
      ]) ?? draft
    );
  },
});

const durationOf = ({ durationSeconds, turns }: Transcript): number =>
  durationSeconds ?? turns.reduce((longest, { begin = 0 }) => Math.max(longest, begin), 0);

/** Drops dialogs that are too short or too long in turns, or too short in characters. */
export const limitDialog = ({ minTurns = 0, maxTurns = Infinity, minCharacters = 0 }: Policy): Step => ({
  name: "length",
  run: (draft) =>
    firstBroken([
      ["min-turns", draft.messages.length < minTurns],
      ["max-turns", draft.messages.length > maxTurns],
      ["min-characters", minCharacters > 0 && charactersOf(draft) < minCharacters],
    ]) ?? draft,
});

const charactersOf = ({ messages }: Draft): number =>
  messages.reduce((sum, { content }) => sum + [...content.replaceAll(/\s/g, "")].length, 0);
