import { BARGE_IN } from "./fold.ts";
import { matchesOf } from "./matches.ts";
import { CHINESE_DIGITS, digitOf, ENGLISH_DIGITS, ENGLISH_TIMES, timesOf, writeDigits } from "./words.ts";

/** A text with digits. An object, so that two turns with the same text are different lines. */
export interface Line {
  readonly text: string;
}

/** Adjacent digits, all written or all spoken in one language. */
export interface Group {
  line: Line;
  start: number;
  end: number;
  digits: string;
  kind: "written" | "chinese" | "english";
  /** The gap between this group and the one before it. */
  gap: Gap;
}

/** How much a gap separates. A number may contain gaps, but none wider than the gaps at its ends. */
export type Gap = 0 | 1 | 2 | 3 | 4;
export const GLUED = 0;
const HYPHEN = 1;
const SPACE = 2;
/** Commas, pauses and fillers. */
export const PAUSE = 3;
/** Another turn. */
export const TURN = 4;

const CHINESE = `[${CHINESE_DIGITS}]`;
const COUNTED = `\\s?个\\s?(?:${CHINESE}|\\d(?!\\d))`;
// A digit beside 十, 百, 千… is part of a quantity, 周一 is a day, 打勾 is no nine. 第一个 and 一个 count what follows, unless
// digits stand before them: 三个八一个六.
const ATOM = new RegExp(
  [
    `(?<![\\d第])(?:[二两三四五六2-6]|(?<=[${CHINESE_DIGITS}\\d][,，、]?\\s?)[一1])${COUNTED}(?![十百千万亿])`,
    "\\d+",
    `(?<![十百千万亿第周]|星期|礼拜)(?!(?<=打)[勾钩])${CHINESE}+(?<![一二两三四五六](?=${COUNTED})|[勾钩](?=选))(?![十百千万亿拾佰仟])`,
    `\\b(?:(?:${ENGLISH_TIMES})\\s+(?:\\d(?!\\d)|${ENGLISH_DIGITS})|${ENGLISH_DIGITS})` +
      "(?!\\s+(?:hundred|thousand|million|billion|percent))",
    "(?<![a-z])(?:[x×叉]|ex|e?ks|[艾埃]克斯)(?![a-z])",
  ].join("|"),
  "gi",
);

/** The longest gap between digits of one number, in characters. */
const LONGEST_GAP = 16;
const HYPHENS = /[-\u2010-\u2015~·•.()/]|横?杠|减号|空格|\b(?:dash|hyphen|dot|space)\b/gi;
const SPACES = new RegExp(`[\\s${BARGE_IN}]`, "g");
const PAUSES =
  /[,，、。;；…!！]|[嗯呃额啊哦诶哎]|那个|就是|然后|接着|后面|再来?|\b(?:u+m+|u+h+|e+r+m?|a+h+|h+m+|and|then|like)\b/gi;

const gapOf = (text: string): Gap | undefined => {
  if (text === "" || text === BARGE_IN) return GLUED;
  if (text.length > LONGEST_GAP) return undefined;
  if (text === " ") return SPACE;
  const rest = text.replace(HYPHENS, "");
  if (rest === "") return HYPHEN;
  if (rest.replace(SPACES, "") === "") return text.includes("\n") ? PAUSE : SPACE;
  return rest.replace(PAUSES, "").replace(SPACES, "") === "" ? PAUSE : undefined;
};

/** Whether a text has nothing but fillers and separators. */
export const hasOnlyFillers = (text: string): boolean =>
  text === "" || text.replace(HYPHENS, "").replace(PAUSES, "").replace(SPACES, "") === "";

/** The check character `X` of an identity card is read only after its 17 digits. */
const BEFORE_CHECK = 17;

/**
The runs of at least `least` digits in a folded text, written or spoken: each is a list of groups with only separators and
fillers between them. `X` is read as a check character only after `beforeCheck` digits.
*/
export const runsOf = (line: Line, least: number, beforeCheck = BEFORE_CHECK): Group[][] => {
  const runs: { groups: Group[]; length: number }[] = [];
  for (const { 0: source, index: start } of matchesOf(ATOM, line.text)) {
    const run = runs.at(-1);
    const last = run?.groups.at(-1);
    const gap = last === undefined ? undefined : gapOf(line.text.slice(last.end, start));
    const { digits, kind } = readAtom(source);
    if (digits === CHECK && (gap === undefined || (run?.length ?? 0) < beforeCheck)) continue;
    const end = start + source.length;
    if (run === undefined || last === undefined || gap === undefined) {
      runs.push({ groups: [{ line, start, end, digits, kind, gap: TURN }], length: digits.length });
      continue;
    }
    run.length += digits.length;
    if (gap === GLUED && kind === last.kind) Object.assign(last, { end, digits: last.digits + digits });
    else run.groups.push({ line, start, end, digits, kind, gap });
  }
  return runs.filter(({ length }) => length >= least).map(({ groups }) => groups);
};

const CHECK = "X";
const WRITTEN = /^\d+$/;
const IS_CHINESE = new RegExp(`^${CHINESE}+$`);

const readAtom = (source: string): Pick<Group, "digits" | "kind"> => {
  if (WRITTEN.test(source)) return { digits: source, kind: "written" };
  if (IS_CHINESE.test(source)) return { digits: writeDigits(source), kind: "chinese" };
  const [times = "", digit = ""] = source.split(source.includes("个") ? /\s?个\s?/ : /\s+/);
  if (digit !== "")
    return {
      digits: (digitOf(digit) ?? "").repeat(timesOf(times)),
      kind: source.includes("个") ? "chinese" : "english",
    };
  const english = digitOf(source);
  return english === undefined ? { digits: CHECK, kind: "written" } : { digits: english, kind: "english" };
};
