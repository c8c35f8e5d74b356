import { editEach, onMessages, type Step } from "./draft.ts";

// A filler has no letter beside it, so that no syllable of a word matches. 那个 and similar words are fillers only before a
// comma or an ellipsis. 嗯？ or "hm?" alone is a question and stays.
const CHINESE =
  /(?<![\p{L}\p{N}])(?:[嗯呃]+(?![嗯呃]*\s*[?？])|(?:那个|这个|就是|然后|额+|啊+|哎)(?=\s*[,，、…]))(?:[\s,，、…]|\.{2,})*/gu;
// "ER" and "5 mm" are not fillers.
const ENGLISH =
  /(?<![\p{L}\p{N}'’-])(?:[Uu]+m+|[Uu]+h+m*|[Ee]rm*|[Hh]mm*)(?![\p{L}\p{N}'’-])(?!\s*\?)(?:[\s,，…]|\.{2,})*/gu;

/** A text without its fillers; empty if it had only fillers. Other words stay unchanged. */
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

/** Removes fillers from the caller's messages. */
export const stripFillers: Step = onMessages("fillers", "fillers-stripped", (messages) =>
  editEach(messages, (message) => {
    if (message.role !== "user") return message;
    const content = withoutFillers(message.content);
    return content === message.content ? message : { ...message, content };
  }),
);
