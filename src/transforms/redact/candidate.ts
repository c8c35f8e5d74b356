import { type Group, PAUSE } from "./digits.ts";

/** Digits that may be one number, with what is needed to decide. */
export interface Candidate {
  digits: string;
  /** The lengths of its groups. */
  widths: number[];
  spoken: boolean;
  english: boolean;
  /** There is a plus, 加 or `plus` before it. */
  plus: boolean;
  /** Two groups are separated by more than spaces. */
  paused: boolean;
  /** The text directly before and after it; `before` without the plus. */
  before: string;
  after: string;
  start: number;
}

const BEFORE = 40;
const AFTER = 6;
const PLUS = /(?:\+|加|\bplus\s)\s?\(?$/i;
/** An opening bracket before an area code belongs to the number. */
const BRACKET = /\($/;

/** The candidate that consecutive groups form. */
export const candidateOf = (groups: readonly Group[]): Candidate | undefined => {
  const [first, last] = [groups[0], groups.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const text = first.line.text;
  const lead = text.slice(Math.max(0, first.start - BEFORE), first.start);
  const closes = text.slice(first.start, first.line === last.line ? last.end : undefined).includes(")");
  const sign = PLUS.exec(lead) ?? (closes ? BRACKET.exec(lead) : null);
  const start = first.start - (sign?.[0].length ?? 0);
  return {
    digits: groups.map(({ digits }) => digits).join(""),
    widths: groups.map(({ digits }) => digits.length),
    spoken: groups.some(({ kind }) => kind !== "written"),
    english: groups.some(({ kind }) => kind === "english"),
    plus: sign !== null && sign[0] !== "(",
    paused: groups.slice(1).some(({ gap }) => gap >= PAUSE),
    before: sign === null ? lead : lead.slice(0, -sign[0].length),
    after: last.line.text.slice(last.end, last.end + AFTER),
    start,
  };
};

/** Words that may stand directly before a number, because they announce one. */
const TOUCHING = /(?:^|[^a-z])(?:tel|phone|mobile|mob|cell|call|no|number|qq|wx|vx|id|card|visa|call)$/i;

/** Whether it is a whole number, and not a part of a longer name, decimal, amount or version. */
export const standsAlone = ({ before, after }: Candidate): boolean =>
  (!/\w$/.test(before) || TOUCHING.test(before)) &&
  !/(?:\d\.|[a-z\d]-|[$€£¥￥]\s?)$/i.test(before) &&
  !/^(?:[a-wyz_\d]|x(?!\d)|\.\d|-[a-z]|%)/i.test(after);

/** Whether its groups look like one number, not like a list of numbers. */
export const wellGrouped = ({ widths, spoken, paused }: Candidate): boolean =>
  spoken ||
  widths.length === 1 ||
  widths.every((width) => width === 1) ||
  ((widths[0] ?? 0) >= 3 && (!paused || widths.every((width) => width >= 3)));

const SAID = "\\W{0,2}(?:号码|号|number|no\\.?|id|code|#)?\\s*(?:是|为|is|was|[:：#])?\\s*$";
const ORDER =
  "单号|流水号?|订单号?|合同号?|保单号?|发票号?码?|序列号|条码|批号|取件码|" +
  "\\b(?:order|tracking|invoice|ticket|reference|ref|case|serial|confirmation|booking|sku|isbn|imei|part|batch|parcel)";
const OTHER = `${ORDER}|编号|工号|型号|学号|验证码|代码|\\b(?:account|policy|model|employee|(?<!area )code)`;
const ORDERS = new RegExp(`(?:${ORDER})${SAID}`, "i");
const OTHERS = new RegExp(`(?:${OTHER})${SAID}`, "i");

/** Whether a word before it says that it is the number of an order, a parcel and so on. */
export const labelledOrder = ({ before }: Pick<Candidate, "before">): boolean => ORDERS.test(before);
/** Whether a word before it says that it is another number than a phone number. */
export const labelledOther = ({ before }: Pick<Candidate, "before">): boolean => OTHERS.test(before);

const PHONE =
  /(?:座机|固话|固定电话|电话|手机|传真|\b(?:tel|phone|mobile|cell|fax|call|dial|text|whatsapp))(?:\s?(?:号码|号|number|no\.?|me|us|at|on))*\s*(?:是|为|打|is|[:：])?\s*$/i;
export const labelledPhone = ({ before }: Candidate): boolean => PHONE.test(before);

const ID = /身份证(?:号码|号)?\s*(?:是|为|[:：])?\s*$/;
export const labelledId = ({ before }: Candidate): boolean => ID.test(before);
