import { InvalidArgumentError } from "commander";
import type { Shard } from "../core/selection.ts";

// Parsers of flag values: from text to a checked value.

export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      most === Number.MAX_SAFE_INTEGER
        ? `Write a whole number, ${least} or more.`
        : `Write a whole number from ${least} to ${most}.`,
    );
  };

export const share =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d*\.?\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a number from ${least} to ${most}.`);
  };

export const number = (text: string): number => {
  if (/^-?\d*\.?\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a number.");
};

export const seconds = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/.exec(text);
  if (!match) throw new InvalidArgumentError("Write seconds, or 90s, 5m, 1h, 2d.");
  return Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[(match[2] ?? "s") as "s" | "m" | "h" | "d"];
};

export const bytes = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)\s*(k|m|g)?i?b?$/i.exec(text);
  if (!match || Number(match[1]) === 0) throw new InvalidArgumentError("Write a size such as 64MB.");
  return Math.floor(
    Number(match[1]) * { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[(match[2] ?? "").toLowerCase() as "" | "k"],
  );
};

export const shard = (text: string): Shard => {
  const [, index = 0, count = 0] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (index < 1 || index > count)
    throw new InvalidArgumentError("Write k/n, for example 1/4: the first of four parts.");
  return { index, count };
};

export const zone = (text: string): string => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError("Write a time zone such as Asia/Shanghai or UTC.");
  }
};

/** For a flag that is repeatable and takes comma-separated lists. */
export const several = (text: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  ...text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
];

/** The same for a flag whose values are known. */
export const severalOf =
  <T extends string>(names: readonly T[]) =>
  (text: string, before: readonly T[] | undefined): T[] => {
    const found = several(text, []).map((part) => {
      const name = names.find((each) => each === part);
      if (name === undefined) throw new InvalidArgumentError(`Allowed choices are ${names.join(", ")}.`);
      return name;
    });
    if (found.length === 0) throw new InvalidArgumentError(`Write one or more of: ${names.join(", ")}.`);
    return [...(before ?? []), ...found];
  };
