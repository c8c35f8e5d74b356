import { messageOf, UsageError } from "../../core/errors.ts";
import { REDACT_CATEGORIES } from "./categories.ts";
import { hasUnmasked, widen } from "./fold.ts";
import type { Span } from "./span.ts";

/** A pattern of the user; its matches become `<NAME_1>`. */
export interface RedactPattern {
  name: string;
  pattern: RegExp;
}

/**
Parses `name=regex` and adds the flags `g` and `u`. The name has letters, digits, `-` and `_`.

The time of a match is not limited: nested repetition can take forever on a long text.

@throws UsageError if the name is missing or a category, or the regex is invalid or matches the empty text.
*/
export const parsePattern = (text: string): RedactPattern => {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(0, at)).trim().toLowerCase();
  const source = text.slice(at + 1);
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(name))
    throw new UsageError(`Not a pattern: "${text}". Write name=regex, for example order=JD\\d{10}.`);
  if ((REDACT_CATEGORIES as readonly string[]).includes(name.replaceAll("_", "-")))
    throw new UsageError(`"${name}" is already the name of a category; give the pattern another name.`);
  const pattern = compiled(source, name);
  if (pattern.test(""))
    throw new UsageError(`The pattern "${name}" matches the empty text, so it would match everywhere.`);
  return { name, pattern: new RegExp(pattern) };
};

const compiled = (source: string, name: string): RegExp => {
  try {
    return new RegExp(source, "gu");
  } catch (error) {
    throw new UsageError(`The pattern "${name}" is not a regular expression: ${messageOf(error)}.`);
  }
};

/**
Finds the matches of a pattern in a masked text, except empty ones. A match may contain a placeholder, but a placeholder
alone is ignored, so that redacting a second time changes nothing.
*/
export const patternFinder = ({ name, pattern }: RedactPattern): ((text: string) => Span[]) => {
  const everywhere = pattern.global ? pattern : new RegExp(pattern, `${pattern.flags}g`);
  return (text) =>
    [...text.matchAll(everywhere)].flatMap(({ 0: value, index }) =>
      value === "" || !hasUnmasked(value) ? [] : [{ ...widen(text, index, index + value.length), name, value }],
    );
};
