import type { Turn } from "../../core/transcript.ts";
import { type Group, hasOnlyFillers, type Line, runsOf } from "./digits.ts";
import { type Folded, fold, maskPlaceholders } from "./fold.ts";
import { joinTurns, type NumberReader, numbersIn, readWhole } from "./numbers.ts";
import type { Span } from "./span.ts";
import { hasDigits } from "./words.ts";

/** Words that people say while somebody dictates. */
const ACKNOWLEDGED =
  /[好的对是行可以嗯哦，您你请讲说呢吗吧]|继续|收到|记下了|明白|没问题|然后|后面|接着|最后|[前后]?[两三四]位|慢慢|\b(?:ok(?:ay)?|yes|yeah|yep|right|got it|mm|uh|huh|go (?:on|ahead)|continue|next|sure|alright|the|rest|last|then|and|is|please|i see|that's)\b|[?？':：]/gi;
const onlyAcknowledges = (text: string): boolean => hasOnlyFillers(text.replace(ACKNOWLEDGED, ""));

/** How much of the beginning and end of a turn is searched, in characters. */
const EDGE = 80;
/** A number that continues in the next turn ends at most this far before the end of its turn, in characters. */
const END = 24;
/** The most turns of a dictated number, acknowledgements included. */
const MOST_TURNS = 16;

/** The digits of a turn that may belong to a number dictated over several turns. */
interface Piece {
  role: string;
  line: Line;
  /** Where `line` begins in the turn's text. */
  offset: number;
  placeOf: Folded["placeOf"];
  /** The digits at the end of the turn, unless they are a whole number. */
  tail?: Group[];
  /** The digits at its beginning, unless they are a whole number. */
  head?: Group[];
  /** The turn has only these digits, or nothing but acknowledgements. */
  only: boolean;
}

/** The pieces of a call's turns, by index; kept from one search to the next, because few texts change between them. */
export type KnownPieces = Map<number, { text: string; piece: Piece }>;

/** By turn index, the parts of numbers that one speaker dictates over several turns. */
export const dictatedSpans = (
  turns: readonly Turn[],
  read: NumberReader,
  names: ReadonlySet<string>,
  known: KnownPieces,
): Map<number, Span[]> => {
  const pieceAt: Pieces = (index) => {
    const [before, turn] = [known.get(index), turns[index]];
    if (turn === undefined || before?.text === turn.text) return before?.piece;
    const piece = pieceOf(turn, read);
    known.set(index, { text: turn.text, piece });
    return piece;
  };
  const spans = new Map<number, Span[]>();
  for (let index = 0; index < turns.length - 1; index += 1) {
    if (!hasDigits(turns[index]?.text.slice(-END) ?? "", 1)) continue;
    const chain = chainFrom(pieceAt, index, read);
    if (chain === undefined) continue;
    for (const [turn, group] of chain.places) {
      const piece = pieceAt(turn);
      if (piece === undefined) continue;
      const found = spans.get(turn) ?? [];
      const place = piece.placeOf({ start: group.start, end: group.end });
      const [start, end] = [piece.offset + place.start, piece.offset + place.end];
      // The groups of one turn become one placeholder.
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
  const { text: whole, placeOf } = fold(maskPlaceholders(text.slice(offset)));
  const line: Line = { text: whole };
  const runs = runsOf(line, 1, 1);
  const [first, last] = [runs[0], runs.at(-1)];
  const isNumber = (run: Group[]): boolean => numbersIn(run, read).length > 0;
  const ends = last !== undefined && onlyAcknowledges(whole.slice(last.at(-1)?.end)) && !isNumber(last);
  // The head of a longer turn is not searched, because people who dictate say little else.
  const begins =
    offset === 0 && first !== undefined && onlyAcknowledges(whole.slice(0, first[0]?.start)) && !isNumber(first);
  const only = runs.length === 0 ? offset === 0 && onlyAcknowledges(whole) : runs.length === 1 && begins && ends;
  return { role, line, offset, placeOf, only, ...(ends ? { tail: last } : {}), ...(begins ? { head: first } : {}) };
};

type Pieces = (index: number) => Piece | undefined;

interface Chain {
  name: string;
  value: string;
  places: [turn: number, group: Group][];
  /** The index of its last turn. */
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
      // The listener may repeat the digits: the repetition is redacted too.
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
    const found = readWhole(joinTurns(groups), read);
    if (found !== undefined)
      chain = { name: found.name, value: found.value, places: [...places, ...echoes], last: index };
    if (!piece.only) break;
  }
  return chain;
};

const digitsOf = (groups: readonly Group[]): string => groups.map(({ digits }) => digits).join("");
