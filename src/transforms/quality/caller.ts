import { withoutFillers } from "../curate/fillers.ts";
import { type Spoken, textsOf, wordsOf } from "./talk.ts";

// The whole turn, so that "hello, my order" stays.
const HELLO =
  /^(?:喂+|你好|您好|哈喽|哈罗|嗨|诶|哎|在吗|听得到吗|再见|拜拜|打错了|hello|hi|hey|yes|bye|goodbye|wrong number|sorry)+$/u;

/** How many of the caller's turns are more than hello, goodbye or a filler. */
export const turnsWithContent = (spoken: readonly Spoken[]): number =>
  textsOf(spoken, "user").filter((text) => {
    const words = wordsOf(withoutFillers(text)).join("");
    return words !== "" && !HELLO.test(words);
  }).length;

/** Below this number of turns nothing can be said about how a caller speaks. */
const LEAST_TURNS = 3;
/** 好的, 是的, 没有 are one word. */
const WORD_CHARACTERS = 2;

/** The share of the caller's turns, 0 to 1, that are at most one word. Numbers are more. 0 for less than 3 turns. */
export const oneWordShare = (spoken: readonly Spoken[]): number => {
  const texts = textsOf(spoken, "user");
  return texts.length < LEAST_TURNS ? 0 : texts.filter(isOneWord).length / texts.length;
};

const isOneWord = (text: string): boolean => {
  const words = wordsOf(text);
  if (words.some((word) => /\p{N}/u.test(word))) return false;
  return (
    words.length <= 1 || (words.length <= WORD_CHARACTERS && words.every((word) => /^\p{Script=Han}$/u.test(word)))
  );
};
