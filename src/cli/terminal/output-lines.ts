import { count, plural, size } from "../../core/wording.ts";

/** A line a file. @param unit what a row is */
export const fileLines = (
  files: readonly { name: string; rows: number; bytes: number }[],
  place: string | undefined,
  unit: "row" | "sample",
): string[] =>
  files.map(({ name, rows, bytes }) => `${place ? `${place}/${name}` : name}  ${plural(rows, unit)}, ${size(bytes)}`);

/** Places that redaction took out, by kind. */
export const redactedLine = (redacted: Readonly<Record<string, number>>): string => {
  const kinds = Object.entries(redacted).map(([name, n]) => `${name} ${count(n)}`);
  return `redacted: ${kinds.join(", ") || "nothing found"}`;
};
