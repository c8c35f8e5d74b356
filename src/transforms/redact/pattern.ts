import { messageOf, UsageError } from "../../core/errors.ts";
import { REDACT_CATEGORIES } from "./categories.ts";
import { unmasked, widened } from "./fold.ts";
import type { Span } from "./span.ts";

/** A pattern of the user's; what it matches becomes `<NAME_1>`. */
export interface RedactPattern {
  name: string;
  pattern: RegExp;
}

/**
Reads `name=regex`, the flags `g` and `u` added. The name is letters, digits, `-` and `_`.

How long it takes is the regex's own affair: nested repetition can take for ever on a long text.

@throws UsageError when there is no name, the name is a category's, the regex is none or matches the empty text.
*/
export const parsePattern = (text: string): RedactPattern => {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at)).trim().toLowerCase();
  const source = text.slice(at + 1);
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(name))
    throw new UsageError(`Not a pattern: "${text}". Write name=regex, for example order=JD\\d{10}.`);
  if ((REDACT_CATEGORIES as readonly string[]).includes(name.replaceAll("_", "-")))
    throw new UsageError(`"${name}" is a category of its own; give the pattern another name.`);
  const pattern = compiled(source, name);
  if (pattern.test(""))
    throw new UsageError(`The pattern "${name}" matches the empty text; it would match everywhere.`);
  return { name, pattern: new RegExp(pattern) };
};

const compiled = (source: string, name: string): RegExp => {
  try {
    return new RegExp(source, "gu");
  } catch (error) {
    throw new UsageError(`The pattern "${name}" is no regular expression: ${messageOf(error)}.`);
  }
};

/**
Finds a pattern's matches in a masked text, those without characters left out. A match that holds a placeholder takes it
along, but a placeholder alone is never matched: so redacting again changes nothing.
*/
export const patternFinder = ({ name, pattern }: RedactPattern): ((text: string) => Span[]) => {
  const everywhere = pattern.global ? pattern : new RegExp(pattern, `${pattern.flags}g`);
  return (text) =>
    [...text.matchAll(everywhere)].flatMap(({ 0: value, index }) =>
      value === "" || !unmasked(value) ? [] : [{ ...widened(text, index, index + value.length), name, value }],
    );
};
