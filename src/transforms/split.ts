import { createHash } from "node:crypto";
import { UsageError } from "../core/errors.ts";

/** A part of a dataset and how much of it, from 0 to 1. */
export interface Split {
  name: string;
  share: number;
}

/** Decimal fractions rarely add up exactly. */
const TOLERANCE = 1e-9;

/**
The splits that `--split` names, such as `train=0.9,validation=0.05,test=0.05`, in that order.

@throws UsageError when it is not that, names a split twice, or does not add up to 1.
*/
export const parseSplits = (text: string): Split[] => {
  const splits = text.split(",").map(parseSplit);
  const names = splits.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`--split names "${twice}" twice.`);
  // Readers of folders take both for the validation split.
  if (names.includes("val") && names.includes("validation"))
    throw new UsageError('--split names both "val" and "validation", which readers take for the same split.');
  const sum = splits.reduce((total, { share }) => total + share, 0);
  if (Math.abs(sum - 1) > TOLERANCE)
    throw new UsageError(`The shares of --split add up to ${Number(sum.toFixed(9))}, not to 1: "${text}".`);
  return splits;
};

const parseSplit = (part: string): Split => {
  const [, name, number] = /^\s*([a-z]+)\s*=\s*([0-9]*\.?[0-9]+)\s*$/.exec(part) ?? [];
  if (name === undefined || number === undefined)
    throw new UsageError(`--split wants names of small letters with shares, as in train=0.9,test=0.1: not "${part}".`);
  const share = Number(number);
  if (share <= 0 || share > 1) throw new UsageError(`The share of "${name}" in --split must be above 0, at most 1.`);
  return { name, share };
};

/**
A text as a number in [0, 1): the first 48 bits of its SHA-256. In Python:
`int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 2**48`.
*/
export const unitHash = (text: string): number => createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;

/**
Names the split of a call: where `unitHash(seed:callId)` falls among the shares, laid end to end in their order.

It depends on nothing but seed, id and shares: not on the other calls, nor on their number or order, nor on the machine.
So a call, and all samples made of it, stay where they are for ever. Changing a share moves those at its borders only.
*/
export const createSplitter = (splits: readonly Split[], seed: string): ((callId: string) => string) => {
  const borders = splits.map(({ name }, index) => ({
    name,
    end: splits.slice(0, index + 1).reduce((sum, { share }) => sum + share, 0),
  }));
  const last = borders.at(-1);
  if (last === undefined) throw new TypeError("There must be a split.");
  return (callId) => {
    const place = unitHash(`${seed}:${callId}`);
    // The sum may fall a hair short of 1: the last split takes what is left.
    return (borders.find(({ end }) => place < end) ?? last).name;
  };
};
