import { editEach, onMessages, type Step } from "./draft.ts";

// Each stands between what is no letter: 嗯 in 嗯,好的 but no syllable of a word. 那个 and its like are fillers only with
// a comma or an ellipsis after them, and a lone 嗯？ or "hm?" is a question.
const CHINESE =
  /(?<![\p{L}\p{N}])(?:[嗯呃]+(?![嗯呃]*\s*[?？])|(?:那个|这个|就是|然后|额+|啊+|哎)(?=\s*[,，、…]))(?:[\s,，、…]|\.{2,})*/gu;
// "ER" and "5 mm" are words.
const ENGLISH =
  /(?<![\p{L}\p{N}'’-])(?:[Uu]+m+|[Uu]+h+m*|[Ee]rm*|[Hh]mm*)(?![\p{L}\p{N}'’-])(?!\s*\?)(?:[\s,，…]|\.{2,})*/gu;

/** A text without its fillers; empty when it was nothing else. What is left keeps its words as they were said. */
export const withoutFillers = (text: string): string => {
  let left = text;
  for (let before = ""; before !== left; ) {
    before = left;
    left = left.replace(CHINESE, "").replace(ENGLISH, "");
  }
  if (left === text) return text;
  return left
    .replace(/^[\s,，、。.…;；!！]+/u, "")
    .replaceAll(/\s+(?=[,，、。.;；!！?？])/gu, "")
    .trim();
};

/** Takes fillers out of what the caller says. */
export const stripFillers: Step = onMessages("fillers", "fillers-stripped", (messages) =>
  editEach(messages, (message) => {
    if (message.role !== "user") return message;
    const content = withoutFillers(message.content);
    return content === message.content ? message : { ...message, content };
  }),
);
