import { type Spoken, textsOf, wordsOf } from "./talk.ts";

// Only what asks the caller to speak again. "Could you repeat the number" after an answer counts as well: once or twice is
// normal, so the rule looks for several in a row.
const AGAIN = [
  /没(?:有)?听(?:清|懂|明白|到)|听不(?:清|懂|到|明白)|没(?:有)?(?:太)?(?:明白|理解)您?的?(?:意思|问题)/u,
  /(?:再|重新?)(?:[说讲]|重?复|重述)(?:一[遍次下]|一?下)|重复一[遍次下]/u,
  /\b(?:did|do|could|can)(?:n['’]?t| not)\b(?: \w+)? (?:catch|get|hear|understand)\b/iu,
  /\b(?:say|repeat|rephrase) (?:that|it|this)?\b(?: \w+){0,3} ?(?:again|one more time|please)?|\bcome again\b/iu,
  /\bsay (?:that|it) again\b|\b(?:could|can|would) you (?:please )?(?:repeat|rephrase)\b/iu,
];

const asksAgain = (text: string): boolean => AGAIN.some((cue) => cue.test(text));

/**
The most agent turns in a row that only ask again: the agent says that it did not understand, or repeats its words of the
turn before.
*/
export const mostReprompts = (spoken: readonly Spoken[]): number => {
  let most = 0;
  let run = 0;
  let before: string | undefined;
  for (const text of textsOf(spoken, "agent")) {
    const words = wordsOf(text).join(" ");
    run = asksAgain(text) || (words !== "" && words === before) ? run + 1 : 0;
    most = Math.max(most, run);
    before = words;
  }
  return most;
};

/** Below this, two equal sentences are half of the text. */
const LEAST_WORDS = 40;
/** A loop repeats soon; in a long call polite phrases return after some minutes. */
const SOON = 150;
const GRAM = 5;

/**
The share of the agent's words, 0 to 1, that repeat what it has just said: of all five words in a row within a turn, those
that it said among the 150 words before. 0 for less than 40 words.
*/
export const repeatedShare = (spoken: readonly Spoken[]): number => {
  const lastAt = new Map<string, number>();
  let grams = 0;
  let repeated = 0;
  let words = 0;
  for (const text of textsOf(spoken, "agent")) {
    const said = wordsOf(text);
    for (let at = 0; at + GRAM <= said.length; at++) {
      const gram = said.slice(at, at + GRAM).join(" ");
      const before = lastAt.get(gram);
      if (before !== undefined && words + at - before <= SOON) repeated += 1;
      // The oldest come first, because a gram is put behind the others when it is said again.
      lastAt.delete(gram);
      lastAt.set(gram, words + at);
      grams += 1;
      if (lastAt.size > 2 * SOON) forget(lastAt, SOON);
    }
    words += said.length;
  }
  return words < LEAST_WORDS || grams === 0 ? 0 : repeated / grams;
};

/** Removes the oldest entries, so that memory does not grow with the call. */
const forget = (entries: Map<string, number>, keep: number): void => {
  let surplus = entries.size - keep;
  for (const key of entries.keys()) {
    if (surplus <= 0) return;
    entries.delete(key);
    surplus -= 1;
  }
};
