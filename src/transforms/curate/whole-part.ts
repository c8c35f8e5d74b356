// English marks need a space or the end behind them, except behind a Chinese character.
/** Ends of sentences, with quotes and brackets that close behind them. */
const SENTENCE = /(?:[。！？；…]+|(?<=\p{Script=Han})[.!?;]+|[.!?;]+(?=[\s"'”’)\]]|$))["'”’」』）)\]]*/gu;
/** Ends of clauses. */
const CLAUSE = /[，：]|(?<=\p{Script=Han})[,:]|[,:](?=\s|$)/gu;
/** Words whose point ends no sentence. */
const ABBREVIATION = /(?:^|[^\p{L}])(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|\p{L})\.$/iu;
/** A clause with one of these is not whole without the next. */
const OPEN =
  /^\s*(?:(?:如果|要是|假如|若|因为|由于|虽然|尽管|即使|为了|除非|只要|只有|一旦|当|等|既然|不但|不仅)|(?:if|when|because|since|although|though|while|unless|once|before|after|as|in order|to|even)\b)/iu;

/**
The part of a text that is whole sentences; without one, the part that is whole clauses, closed by a full stop. Empty if
there is neither: nobody would end an answer there.
*/
export const wholePart = (text: string): string => {
  const end = endOfSentence(text);
  if (end > 0) return text.slice(0, end).trimEnd();
  const clauses = [...text.matchAll(CLAUSE)];
  const last = clauses.at(-1);
  if (last === undefined) return "";
  const start = clauses.at(-2)?.index;
  if (OPEN.test(text.slice(start === undefined ? 0 : start + 1, last.index))) return "";
  const clause = text.slice(0, last.index).trimEnd();
  return /[\p{L}\p{N}]$/u.test(clause) ? `${clause}${/\p{Script=Han}$/u.test(clause) ? "。" : "."}` : "";
};

const endOfSentence = (text: string): number => {
  let end = 0;
  for (const { 0: mark, index } of text.matchAll(SENTENCE)) if (ends(text, mark, index)) end = index + mark.length;
  return end;
};

/** A point behind a digit at the end may be inside a number, and "Mr." waits for a name. */
const ends = (text: string, mark: string, index: number): boolean => {
  if (!mark.startsWith(".") || mark.startsWith("..")) return true;
  const before = text.slice(Math.max(0, index - 8), index + 1);
  return !ABBREVIATION.test(before) && !(index + mark.length === text.length && /\d\.$/.test(before));
};
