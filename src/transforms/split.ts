import { createHash } from "node:crypto";
import { UsageError } from "../core/errors.ts";

/** A split of a data set, and its share from 0 to 1. */
export interface Split {
  name: string;
  share: number;
}

/** Decimal fractions rarely add up exactly. */
const TOLERANCE = 1e-9;

/**
Parses `--split`, for example `train=0.9,validation=0.05,test=0.05`. The order is kept.

@throws UsageError for another syntax, for a split that is named twice, and if the shares do not add up to 1.
*/
export const parseSplits = (text: string): Split[] => {
  const splits = text.split(",").map(parseSplit);
  const names = splits.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--split names "${twice}" twice.`);
  // Trainers that read folders use both names for the validation split.
  if (names.includes("val") && names.includes("validation"))
    throw new UsageError('--split names both "val" and "validation", but trainers read them as the same split.');
  const sum = splits.reduce((total, { share }) => total + share, 0);
  if (Math.abs(sum - 1) > TOLERANCE)
    throw new UsageError(`The shares of --split add up to ${Number(sum.toFixed(9))}, not to 1: "${text}".`);
  return splits;
};

const parseSplit = (part: string): Split => {
  const [, name, number] = /^\s*([a-z]+)\s*=\s*([0-9]*\.?[0-9]+)\s*$/.exec(part) ?? [];
  if (name === undefined || number === undefined)
    throw new UsageError(
      `--split needs names in lower-case letters with their shares, for example train=0.9,test=0.1, not "${part}".`,
    );
  const share = Number(number);
  if (share <= 0 || share > 1) throw new UsageError(`The share of "${name}" in --split must be above 0 and at most 1.`);
  return { name, share };
};

/**
A text as a number in [0, 1): the first 48 bits of its SHA-256. In Python:
`int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 2**48`.
*/
export const unitHash = (text: string): number => createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;

/**
Returns the split of a call: `unitHash(seed:callId)` falls into one of the shares, which follow each other in their order.

It depends only on seed, id and shares, not on other calls or the machine. So a call, with all its samples, always stays in
its split. Changing a share moves only the calls at its borders.
*/
export const createSplitter = (splits: readonly Split[], seed: string): ((callId: string) => string) => {
  const borders = splits.map(({ name }, index) => ({
    name,
    end: splits.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0),
  }));
  const last = borders.at(-1);
  if (last === undefined) throw new TypeError("There must be a split.");
  return (callId) => {
    const hash = unitHash(`${seed}:${callId}`);
    // The sum may be slightly below 1: the last split takes the rest.
    return (borders.find(({ end }) => hash < end) ?? last).name;
  };
};
