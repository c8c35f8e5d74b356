import type { Turn } from "../../core/transcript.ts";
import { type Group, idle, type Line, runsOf } from "./digits.ts";
import { folded, masked } from "./fold.ts";
import { chained, type NumberReader, numbersIn, readWhole } from "./numbers.ts";
import type { Span } from "./span.ts";
import { hasDigits } from "./words.ts";

/** What is said while somebody dictates. */
const ACKNOWLEDGED =
  /[好的对是行可以嗯哦，您你请讲说呢吗吧]|继续|收到|记下了|明白|没问题|然后|后面|接着|最后|[前后]?[两三四]位|慢慢|\b(?:ok(?:ay)?|yes|yeah|yep|right|got it|mm|uh|huh|go (?:on|ahead)|continue|next|sure|alright|the|rest|last|then|and|is|please|i see|that's)\b|[?？':：]/gi;
const quiet = (text: string): boolean => idle(text.replace(ACKNOWLEDGED, ""));

/** Only so much of a turn's beginning and end is looked at, in characters. */
const EDGE = 80;
/** A number that goes on in the next turn stands no further from its turn's end, in characters. */
const END = 24;
/** A dictated number takes no more turns than this, acknowledgements included. */
const MOST_TURNS = 16;

/** What a turn contributes to a number that is dictated over several turns. */
interface Piece {
  role: string;
  line: Line;
  /** How much of the turn's text lies before `line`. */
  offset: number;
  /** The digits at the turn's end, unless they are a number of their own. */
  tail?: Group[];
  /** The digits at its beginning. */
  head?: Group[];
  /** Nothing is said but these digits, or nothing at all. */
  only: boolean;
}

/** What each turn holds, by its index, of numbers that one speaker dictates over several turns. */
export const dictated = (
  turns: readonly Turn[],
  read: NumberReader,
  names: ReadonlySet<string>,
): Map<number, Span[]> => {
  const known = new Map<number, Piece>();
  const pieceAt: Pieces = (index) => {
    const [piece, turn] = [known.get(index), turns[index]];
    if (piece !== undefined || turn === undefined) return piece;
    const made = pieceOf(turn, read);
    known.set(index, made);
    return made;
  };
  const spans = new Map<number, Span[]>();
  for (let index = 0; index < turns.length - 1; index += 1) {
    if (!hasDigits(turns[index]?.text.slice(-END) ?? "", 1)) continue;
    const chain = chainFrom(pieceAt, index, read);
    if (chain === undefined) continue;
    for (const [turn, group] of chain.places) {
      const offset = pieceAt(turn)?.offset ?? 0;
      const found = spans.get(turn) ?? [];
      const [start, end] = [offset + group.start, offset + group.end];
      // One placeholder for what one turn says of it.
      const last = found.at(-1);
      if (last?.value === chain.value) last.end = end;
      else if (names.has(chain.name)) spans.set(turn, [...found, { start, end, name: chain.name, value: chain.value }]);
    }
    index = chain.last - 1;
  }
  return spans;
};

const pieceOf = ({ role, text }: Turn, read: NumberReader): Piece => {
  const offset = Math.max(0, text.length - EDGE);
  const whole = folded(masked(text.slice(offset)));
  const line: Line = { text: whole };
  const runs = runsOf(line, 1, 1);
  const [first, last] = [runs[0], runs.at(-1)];
  const own = (run: Group[]): boolean => numbersIn(run, read).length > 0;
  const ends = last !== undefined && quiet(whole.slice(last.at(-1)?.end)) && !own(last);
  // A longer turn's head is not looked for: who dictates says little else.
  const begins = offset === 0 && first !== undefined && quiet(whole.slice(0, first[0]?.start)) && !own(first);
  const only = runs.length === 0 ? offset === 0 && quiet(whole) : runs.length === 1 && begins && ends;
  return { role, line, offset, only, ...(ends ? { tail: last } : {}), ...(begins ? { head: first } : {}) };
};

type Pieces = (index: number) => Piece | undefined;

interface Chain {
  name: string;
  value: string;
  places: [turn: number, group: Group][];
  /** The index of the last turn that belongs to it. */
  last: number;
}

const chainFrom = (pieceAt: Pieces, from: number, read: NumberReader): Chain | undefined => {
  const opening = pieceAt(from);
  if (opening?.tail === undefined) return undefined;
  const places = opening.tail.map((group): [number, Group] => [from, group]);
  const echoes: [number, Group][] = [];
  let groups = opening.tail;
  let chain: Chain | undefined;
  for (let index = from + 1; index < from + MOST_TURNS; index += 1) {
    const piece = pieceAt(index);
    if (piece === undefined) break;
    if (piece.role !== opening.role) {
      if (!piece.only) break;
      // Whoever listens says the digits again: these go too.
      const echo = piece.tail ?? [];
      if (!digitsOf(groups).endsWith(digitsOf(echo))) break;
      echoes.push(...echo.map((group): [number, Group] => [index, group]));
      continue;
    }
    if (piece.head === undefined) {
      if (piece.only) continue;
      break;
    }
    places.push(...piece.head.map((group): [number, Group] => [index, group]));
    groups = [...groups, ...piece.head];
    const found = readWhole(chained(groups), read);
    if (found !== undefined)
      chain = { name: found.name, value: found.value, places: [...places, ...echoes], last: index };
    if (!piece.only) break;
  }
  return chain;
};

const digitsOf = (groups: readonly Group[]): string => groups.map(({ digits }) => digits).join("");
