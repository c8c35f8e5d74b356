import { INTERRUPTED } from "../core/transcript.ts";

// How things said are found in turns: by text and time, in time that does not grow with the square of their number.

/** A text as two sources are expected to agree on: without punctuation, blanks, letter case and the platform's mark. */
export const plainText = (text: string): string => {
  const whole = text.replaceAll(INTERRUPTED, "").normalize("NFKC").toLowerCase();
  // A text of punctuation alone stays what it is.
  return whole.replace(/[\p{P}\s]+/gu, "") || whole.trim();
};

interface InTime {
  /** Milliseconds since 1970. */
  ms?: number;
}

const distance = (one: InTime | undefined, other: InTime | undefined): number =>
  one?.ms === undefined || other?.ms === undefined ? Number.POSITIVE_INFINITY : Math.abs(one.ms - other.ms);

/** Compares by time; what has none comes last. */
export const byTime = (one: InTime, other: InTime): number =>
  one.ms === other.ms ? 0 : (one.ms ?? Number.POSITIVE_INFINITY) - (other.ms ?? Number.POSITIVE_INFINITY);

/**
Pairs each of the shorter list with one of the longer, so that no two pairs cross, and prefers what is near. Both lists are
by time. Linear.
*/
export function* pairs<One extends InTime, Other extends InTime>(
  ones: readonly One[],
  others: readonly Other[],
): Generator<[One, Other]> {
  if (ones.length > others.length) {
    for (const [other, one] of pairs(others, ones)) yield [one, other];
    return;
  }
  let at = 0;
  for (const [index, one] of ones.entries()) {
    // Enough must stay for the rest.
    const last = others.length - (ones.length - index);
    while (at < last) {
      const next = distance(others[at + 1], one);
      if (next === Number.POSITIVE_INFINITY || next > distance(others[at], one)) break;
      at += 1;
    }
    yield [one, others[at] as Other];
    at += 1;
  }
}

/** Finds the last of some things that began by a time. Their order need not be that of their times. */
export class Beginnings {
  /** The earliest time from each position to the end: it never falls, so it can be searched. */
  readonly #earliest: number[];

  constructor(things: readonly InTime[]) {
    this.#earliest = new Array<number>(things.length);
    let earliest = Number.POSITIVE_INFINITY;
    for (let at = things.length - 1; at >= 0; at -= 1) {
      earliest = Math.min(earliest, things[at]?.ms ?? Number.POSITIVE_INFINITY);
      this.#earliest[at] = earliest;
    }
  }

  /** Its index; -1 if none did. The last of all, if there is no time to compare. */
  lastBy({ ms }: InTime): number {
    if (ms === undefined || this.#earliest[0] === Number.POSITIVE_INFINITY) return this.#earliest.length - 1;
    return lowerBound(this.#earliest, (earliest) => earliest > ms) - 1;
  }
}

/** The first index whose value meets the condition, which holds from there to the end. */
export const lowerBound = <Value>(values: readonly Value[], condition: (value: Value) => boolean): number => {
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (condition(values[middle] as Value)) to = middle;
    else from = middle + 1;
  }
  return from;
};

/** The values by a key of each, in their order. */
export const grouped = <Value>(values: Iterable<Value>, keyOf: (value: Value) => string): Map<string, Value[]> => {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
};
