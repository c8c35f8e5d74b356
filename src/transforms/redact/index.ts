import type { Transcript } from "../../core/transcript.ts";
import { addresses } from "./addresses.ts";
import type { RedactCategory } from "./categories.ts";
import { dictatedSpans, type KnownPieces } from "./dictation.ts";
import { runsOf } from "./digits.ts";
import { emails } from "./email.ts";
import { fold, hasUnmasked, maskPlaceholders, widen } from "./fold.ts";
import { names as personNames } from "./names.ts";
import { numberFinder, numberReader, numbersIn } from "./numbers.ts";
import { passports, plates } from "./papers.ts";
import { patternFinder, type RedactPattern } from "./pattern.ts";
import { phoneReader } from "./phone.ts";
import { Placeholders } from "./placeholders.ts";
import { type Finder, mergeOverlaps, type Span } from "./span.ts";
import { hasTens } from "./tens.ts";
import { changeTexts } from "./walk.ts";
import { ips, urls } from "./web.ts";
import { wechats } from "./wechat.ts";
import { hasDigits } from "./words.ts";

export { REDACT_CATEGORIES, type RedactCategory } from "./categories.ts";
export { parsePattern, type RedactPattern } from "./pattern.ts";
export { textsIn } from "./walk.ts";

export interface RedactOptions {
  /** The categories to redact. */
  categories: readonly RedactCategory[];
  /**
  Further patterns to redact.

  @default none
  */
  patterns?: readonly RedactPattern[];
}

export interface Redaction {
  /** The same object as the input if nothing was found. */
  transcript: Transcript;
  /** The number of replacements in this call by category or pattern; those without any are absent. */
  counts: Partial<Record<string, number>>;
}

/** A find of somebody else, for example of a command that recognises names. */
export type ForeignFind = Pick<Span, "start" | "end" | "name">;

/** @param found further finds, by text (see `textsIn`) */
export type Redactor = (transcript: Transcript, found?: ReadonlyMap<string, readonly ForeignFind[]>) => Redaction;

/**
Creates a redactor. It replaces each find by `<CATEGORY_n>`, numbered per call: the same value always gets the same
number, however it is spoken. Redacting a second time changes nothing. It never throws.

Asynchronous because `phone` needs the telephone metadata, which is loaded here.
*/
export const createRedactor = async ({ categories, patterns = [] }: RedactOptions): Promise<Redactor> => {
  const names = new Set<string>(categories);
  const read = numberReader(names.has("phone") ? await phoneReader() : undefined);
  const numbers = NUMBERS.some((name) => names.has(name));
  const wordFinders = select(WORD_FINDERS, names);
  const digitFinders = select(DIGIT_FINDERS, names);
  if (numbers) digitFinders.push(numberFinder(read, names));
  const custom = patterns.map(patternFinder);

  const find = (text: string): Span[] => {
    const open = maskPlaceholders(text);
    const { text: folded, placeOf } = fold(open);
    const finders = hasDigits(folded) || hasTens(folded) ? [...wordFinders, ...digitFinders] : wordFinders;
    return [...custom.flatMap((finder) => finder(open)), ...finders.flatMap((finder) => finder(folded)).map(placeOf)];
  };
  const partyNumber = (text: string): string => {
    const [found] = runsOf({ text: fold(text).text }, 1).flatMap((run) => numbersIn(run, read));
    return found?.value ?? text;
  };

  return (transcript, found) => {
    const placeholders = new Placeholders(transcript);
    const clean = new Set<string>();
    // A replacement changes the context of other finds, so this repeats until nothing is found.
    const fill = (text: string, more: readonly Span[] = []): string => {
      let current = text;
      const foreign = found?.get(text);
      let spans = foreign === undefined ? more : [...more, ...foreignSpans(text, foreign)];
      while (spans.length > 0 || !clean.has(current)) {
        const merged = mergeOverlaps([...find(current), ...spans]);
        if (merged.length === 0) clean.add(current);
        current = placeholders.fill(current, merged);
        spans = [];
      }
      return current;
    };
    const party = (text: string): string =>
      names.has("phone") && /\d{3}/.test(maskPlaceholders(text))
        ? placeholders.take({ name: "phone", value: partyNumber(text) })
        : text;

    const pieces: KnownPieces = new Map();
    let current = transcript;
    for (;;) {
      const before = placeholders.total;
      const parts = numbers ? dictatedSpans(current.turns, read, names, pieces) : new Map<number, Span[]>();
      const next = changeTexts(current, { text: fill, turn: (text, index) => fill(text, parts.get(index)), party });
      if (placeholders.total === before) return { transcript: current, counts: placeholders.counts };
      current = next;
    }
  };
};

/** Finds that are nothing but placeholders are ignored; a placeholder inside a find is replaced with it. */
const foreignSpans = (text: string, finds: readonly ForeignFind[]): Span[] => {
  const open = maskPlaceholders(text);
  return finds.flatMap(({ start, end, name }) =>
    hasUnmasked(open.slice(start, end))
      ? [{ ...widen(open, start, end), name, value: fold(text.slice(start, end)).text.trim().toLowerCase() }]
      : [],
  );
};

const WORD_FINDERS = {
  email: emails,
  url: urls,
  name: personNames,
  address: addresses,
  wechat: wechats,
} satisfies Partial<Record<RedactCategory, Finder>>;
const DIGIT_FINDERS = { ip: ips, passport: passports, plate: plates } satisfies Partial<Record<RedactCategory, Finder>>;
const NUMBERS: readonly RedactCategory[] = ["phone", "id-card", "bank-card"];

const select = (finders: Partial<Record<RedactCategory, Finder>>, names: ReadonlySet<string>): Finder[] =>
  Object.entries(finders).flatMap(([name, finder]) => (names.has(name) ? [finder] : []));
