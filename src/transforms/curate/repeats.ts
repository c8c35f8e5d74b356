import { INTERRUPTED, type Turn } from "../../core/transcript.ts";
import type { Step } from "./draft.ts";

/**
Removes turns from other records of a call that repeat a turn beside them: a callback can have in pieces, or whole, what the
call log has, so that it could not be recognised as the same turn. The log's turn stays.
*/
export const dropRepeats: Step = {
  name: "repeats",
  change: "repeated-turns-dropped",
  run: (draft) => {
    if (!draft.turns.some(({ recordSource }) => recordSource !== undefined)) return draft;
    const turns = withoutRepeats(draft.turns);
    return turns.length === draft.turns.length ? draft : { ...draft, turns };
  },
};

const withoutRepeats = (turns: readonly Turn[]): Turn[] => {
  const kept: Turn[] = [];
  for (const [index, turn] of turns.entries()) {
    const beside = [kept.at(-1), turns[index + 1]];
    const isRepeat = turn.recordSource !== undefined && beside.some((other) => other && repeats(turn, other));
    if (!isRepeat) kept.push(turn);
  }
  return kept;
};

/** Of two turns that are both added, the later one is the repetition. */
const repeats = (turn: Turn, other: Turn): boolean => {
  if (turn.role !== other.role || turn.toolCalls !== undefined || other.toolCalls !== undefined) return false;
  const [one, two] = [plain(turn.text), plain(other.text)];
  if (one === "") return false;
  return two.includes(one) || (other.recordSource === undefined && two !== "" && one.includes(two));
};

const plain = (text: string): string =>
  text
    .replaceAll(INTERRUPTED, "")
    .replaceAll(/[\s\p{P}]/gu, "")
    .toLowerCase();
