import { announcedCard, announcedId } from "./announced.ts";
import {
  type Candidate,
  candidateOf,
  labelledId,
  labelledOrder,
  labelledOther,
  standsAlone,
  wellGrouped,
} from "./candidate.ts";
import { isCardNumber, isIdNumber, isOldIdNumber } from "./checks.ts";
import { type Group, runsOf, TURN } from "./digits.ts";
import type { PhoneReader } from "./phone.ts";
import type { Finder, Span } from "./span.ts";
import { hasDigits } from "./words.ts";

/** Reads a candidate as a number; undefined if it is none. */
export type NumberReader = (candidate: Candidate) => Pick<Span, "name" | "value"> | undefined;
export interface NumberFind extends Span {
  groups: readonly Group[];
}

const SHORTEST = 7;
const LONGEST = 21;
/** A text with fewer spoken digits has no number, even with "triple five, triple four…". */
const FEWEST = 5;

/** Distinguishes identity cards, bank cards and phones. `phone` is undefined if phones are not redacted. */
export const numberReader =
  (phone: PhoneReader | undefined): NumberReader =>
  (candidate) => {
    if (!standsAlone(candidate)) return undefined;
    const { digits } = candidate;
    if (isIdNumber(digits)) return { name: "id-card", value: digits };
    if (labelledId(candidate) && isOldIdNumber(digits)) return { name: "id-card", value: digits };
    if (!wellGrouped(candidate) && !candidate.plus) return readPhone(phone, candidate);
    if (isCardNumber(digits) && !labelledOrder(candidate)) return { name: "bank-card", value: digits };
    return readPhone(phone, candidate) ?? readAnnounced(candidate);
  };

const readAnnounced = (candidate: Candidate): Pick<Span, "name" | "value"> | undefined => {
  if (candidate.digits.length < 16) return undefined;
  if (announcedId(candidate)) return { name: "id-card", value: candidate.digits };
  return announcedCard(candidate) ? { name: "bank-card", value: candidate.digits } : undefined;
};

const readPhone = (phone: PhoneReader | undefined, candidate: Candidate) => {
  const value = phone?.(candidate);
  return value === undefined ? undefined : { name: "phone", value };
};

/** The number that all these groups form together. */
export const readWhole = (groups: readonly Group[], read: NumberReader): NumberFind | undefined => {
  let length = 0;
  for (const { digits } of groups) {
    length += digits.length;
    if (length > LONGEST) return undefined;
  }
  if (length < SHORTEST) return undefined;
  const candidate = candidateOf(groups);
  const found = candidate && read(candidate);
  const last = groups.at(-1);
  return found && last && { ...found, start: candidate.start, end: last.end, groups };
};

/**
The numbers in a run: the whole run, else several numbers that fill it completely, else the numbers in its parts between
the widest gaps. So no part of a longer number is taken for a number.
*/
export const numbersIn = (groups: readonly Group[], read: NumberReader): NumberFind[] => {
  const whole = readWhole(groups, read);
  if (whole !== undefined) return [whole];
  if (groups.length < 2) return [];
  const parts = partsOf(groups);
  const filled = fill(parts, read);
  if (filled.length > 0) return filled;
  const rest = withoutFirst(groups, read);
  return rest === undefined ? parts.flatMap((part) => numbersIn(part, read)) : [rest];
};

/** "This one one three eight…": the first "one" does not belong to the number. */
const withoutFirst = (groups: readonly Group[], read: NumberReader): NumberFind | undefined => {
  const [first] = groups;
  if (first === undefined || first.kind === "written" || first.digits.length > 1) return undefined;
  const whole = candidateOf([first]);
  return whole === undefined || labelledOther(whole) ? undefined : readWhole(groups.slice(1), read);
};

const partsOf = (groups: readonly Group[]): Group[][] => {
  const widest = groups.slice(1).reduce((most, { gap }) => Math.max(most, gap), 0);
  const parts: Group[][] = [];
  for (const [index, group] of groups.entries()) {
    if (index === 0 || group.gap === widest) parts.push([group]);
    else parts.at(-1)?.push(group);
  }
  return parts;
};

const fill = (parts: readonly Group[][], read: NumberReader): NumberFind[] => {
  const finds: NumberFind[] = [];
  let next = 0;
  while (next < parts.length) {
    const found = firstFrom(parts, next, read);
    if (found === undefined) return [];
    finds.push(found.find);
    next = found.next;
  }
  return finds;
};

const firstFrom = (parts: readonly Group[][], from: number, read: NumberReader) => {
  const groups: Group[] = [];
  for (let next = from; next < parts.length; next += 1) {
    const part = parts[next] ?? [];
    if (groups.length + part.length > LONGEST) return undefined;
    groups.push(...part);
    const find = readWhole(groups, read);
    if (find !== undefined) return { find, next: next + 1 };
  }
  return undefined;
};

/** Finds spoken and written numbers of the named categories. */
export const numberFinder =
  (read: NumberReader, names: ReadonlySet<string>): Finder =>
  (text) =>
    hasDigits(text, FEWEST)
      ? runsOf({ text }, SHORTEST)
          .flatMap((run) => numbersIn(run, read))
          .filter(({ name }) => names.has(name))
      : [];

/** Joins the groups of several turns into one run. */
export const joinTurns = (groups: readonly Group[]): Group[] =>
  groups.map((group, index) => (group.line === groups[index - 1]?.line ? group : { ...group, gap: TURN }));
