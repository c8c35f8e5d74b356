import type { Transcript, Turn } from "../../core/transcript.ts";
import { dictated } from "./dictation.ts";
import { runsOf } from "./digits.ts";
import { emails } from "./email.ts";
import { folded, masked } from "./fold.ts";
import { type NumberReader, numberFinder, numberReader, numbersIn } from "./numbers.ts";
import { passports, plates } from "./papers.ts";
import { patternFinder, type RedactPattern } from "./pattern.ts";
import { phoneReader } from "./phone.ts";
import { Placeholders } from "./placeholders.ts";
import { type Finder, type RedactCategory, type Span, united } from "./span.ts";
import { changed } from "./walk.ts";
import { ips, urls } from "./web.ts";

export { parsePattern, type RedactPattern } from "./pattern.ts";
export { REDACT_CATEGORIES, type RedactCategory } from "./span.ts";

export interface RedactOptions {
  /** What to look for; nothing is redacted that is not named. */
  categories: readonly RedactCategory[];
  /**
  More to look for.

  @default none
  */
  patterns?: readonly RedactPattern[];
}

export interface Redaction {
  /** The very transcript that was given where nothing was found. */
  transcript: Transcript;
  /** Replacements in this call by category or pattern, never their values; names without any are absent. */
  counts: Partial<Record<string, number>>;
}

export type Redactor = (transcript: Transcript) => Redaction;

/**
Makes a redactor. It replaces each find by `<CATEGORY_n>`, numbered per call: the same value has the same number
wherever and however it is said. Redacting twice is redacting once. It never throws.

Asynchronous because the telephone metadata is loaded, when `phone` is asked for.
*/
export const createRedactor = async ({ categories, patterns = [] }: RedactOptions): Promise<Redactor> => {
  const names = new Set<string>(categories);
  const read = numberReader(names.has("phone") ? await phoneReader() : undefined);
  const finders = [...categoryFinders(names, read)];
  const custom = patterns.map(patternFinder);

  const find = (text: string): Span[] => {
    const open = masked(text);
    const narrow = folded(open);
    return [...custom.flatMap((finder) => finder(open)), ...finders.flatMap((finder) => finder(narrow))];
  };
  const partyNumber = (text: string): string => {
    const [found] = runsOf({ text: folded(text) }, 1).flatMap((run) => numbersIn(run, read));
    return found?.value ?? text;
  };

  const once = (transcript: Transcript, placeholders: Placeholders): Transcript => {
    const parts = dictation(transcript.turns, read, names);
    const fill = (text: string, more: readonly Span[] = []): string => {
      const spans = [...find(text), ...more];
      return spans.length === 0 ? text : placeholders.fill(text, united(spans));
    };
    return changed(transcript, {
      text: (text) => fill(text),
      turn: (text, index) => fill(text, parts.get(index)),
      party: (text) =>
        names.has("phone") && /\d{3}/.test(masked(text))
          ? placeholders.take({ name: "phone", value: partyNumber(text) })
          : text,
    });
  };

  return (transcript) => {
    const placeholders = new Placeholders(transcript);
    let current = transcript;
    // What is found changes what stands beside the rest: so until nothing is.
    for (;;) {
      const before = placeholders.total;
      const next = once(current, placeholders);
      if (placeholders.total === before) return { transcript: current, counts: placeholders.counts };
      current = next;
    }
  };
};

const NUMBERS: readonly RedactCategory[] = ["phone", "id-card", "bank-card"];
const FINDERS = { email: emails, url: urls, ip: ips, passport: passports, plate: plates } satisfies Partial<
  Record<RedactCategory, Finder>
>;

function* categoryFinders(names: ReadonlySet<string>, read: NumberReader): Generator<Finder> {
  for (const [name, finder] of Object.entries(FINDERS)) if (names.has(name)) yield finder;
  if (NUMBERS.some((name) => names.has(name))) yield numberFinder(read, names);
}

const dictation = (turns: readonly Turn[], read: NumberReader, names: ReadonlySet<string>): Map<number, Span[]> =>
  NUMBERS.some((name) => names.has(name)) ? dictated(turns, read, names) : new Map();
