/** Marks that can end a sentence, with quotes and brackets that close behind them. Without conditions, so that it is linear. */
const SENTENCE = /([。！？；…]+|[.!?;]+)(["'”’」』）)\]]*)/gu;
/** Marks that can end a clause. */
const CLAUSE = /[，：,:]/gu;
/** Words whose point ends no sentence. */
const ABBREVIATION = /(?:^|[^\p{L}])(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|\p{L})\.$/iu;
/** A clause with one of these is not whole without the next. */
const OPEN =
  /^\s*(?:(?:如果|要是|假如|若|因为|由于|虽然|尽管|即使|为了|除非|只要|只有|一旦|当|等|既然|不但|不仅)|(?:if|when|because|since|although|though|while|unless|once|before|after|as|in order|to|even)\b)/iu;
const HAN_AT_END = /\p{Script=Han}$/u;

/**
The part of a text that is whole sentences; without one, the part that is whole clauses, closed by a full stop. Empty if
there is neither: nobody would end an answer there.
*/
export const wholePart = (text: string): string => {
  const end = endOfSentence(text);
  if (end > 0) return text.slice(0, end).trimEnd();
  let start = 0;
  let last = -1;
  for (const { 0: mark, index } of text.matchAll(CLAUSE))
    if (endsThere(text, mark, index)) {
      start = last + 1;
      last = index;
    }
  if (last === -1 || OPEN.test(text.slice(start, last))) return "";
  const clause = text.slice(0, last).trimEnd();
  if (!/[\p{L}\p{N}]$/u.test(clause.slice(-2))) return "";
  return `${clause}${HAN_AT_END.test(clause.slice(-2)) ? "。" : "."}`;
};

const endOfSentence = (text: string): number => {
  let end = 0;
  for (const { 0: all, 1: mark = "", 2: closing, index } of text.matchAll(SENTENCE)) {
    const isEnd = closing !== "" || endsThere(text, mark, index);
    if (isEnd && !isPointInside(text, mark, index)) end = index + all.length;
  }
  return end;
};

/** An English mark ends something before a space, at the end, or behind a Chinese character. */
const endsThere = (text: string, mark: string, index: number): boolean => {
  const next = text.charAt(index + mark.length);
  return (
    mark > "\u007f" || next === "" || /\s/.test(next) || HAN_AT_END.test(text.slice(Math.max(0, index - 2), index))
  );
};

/** A point behind a digit at the end may be inside a number, and "Mr." waits for a name. */
const isPointInside = (text: string, mark: string, index: number): boolean => {
  if (mark !== ".") return false;
  const before = text.slice(Math.max(0, index - 8), index + 1);
  return ABBREVIATION.test(before) || (index + 1 === text.length && /\d\.$/.test(before));
};
