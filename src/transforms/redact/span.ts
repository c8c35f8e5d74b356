import { REDACT_CATEGORIES } from "./categories.ts";

/** A find: where it lies in a text, and what it says once separators, spelling and full-width forms are gone. */
export interface Span {
  start: number;
  end: number;
  /** A category, or the name of a pattern of the user's. */
  name: string;
  /** Two finds of one name and value are the same thing. Never shown to anybody. */
  value: string;
}

/** Finds in a folded text (see fold.ts), in any order. Linear in the text's length. */
export type Finder = (text: string) => Span[];

/**
The finds without overlaps, in order of place. Those that overlap become one, named after the longest of them, so that
no rest of either stays.
*/
export const united = (spans: readonly Span[]): Span[] => {
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

/** The user's own patterns, which are no categories, come first. */
const rank = ({ name }: Span): number => (REDACT_CATEGORIES as readonly string[]).indexOf(name);
