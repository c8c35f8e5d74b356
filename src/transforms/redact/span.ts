import { REDACT_CATEGORIES } from "./categories.ts";

/** A find: its place in a text, and its value without separators, spelling and full-width forms. */
export interface Span {
  start: number;
  end: number;
  /** A category, or the name of a user's pattern. */
  name: string;
  /** Finds with the same name and value get the same placeholder. Never printed. */
  value: string;
}

/** Returns the finds in a folded text (see fold.ts), in any order, in time linear in its length. */
export type Finder = (text: string) => Span[];

/**
Merges overlapping finds and orders all by place. Merged finds are named after the longest, so that no part of any is left
in the text.
*/
export const mergeOverlaps = (spans: readonly Span[]): Span[] => {
  const ordered = spans.toSorted((a, b) => a.start - b.start || b.end - a.end || rank(a) - rank(b));
  const result: { span: Span; longest: Span }[] = [];
  for (const span of ordered) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.span.end) result.push({ span, longest: span });
    else {
      if (span.end - span.start > last.longest.end - last.longest.start) last.longest = span;
      const { name, value } = last.longest;
      last.span = { start: last.span.start, end: Math.max(last.span.end, span.end), name, value };
    }
  }
  return result.map(({ span }) => span);
};

/** Patterns of the user come first (-1), because they are not categories. */
const rank = ({ name }: Span): number => (REDACT_CATEGORIES as readonly string[]).indexOf(name);
